// The arguments of `loadtest run` → the load and where it goes.
import { InvalidArgumentError } from "commander";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { defaultPaths, effectiveSpec } from "../loadtest/defaults.ts";
import { readDocuments } from "../loadtest/documents.ts";
import { parseDuration } from "../loadtest/duration.ts";
import { formatFieldError } from "../loadtest/field-error.ts";
import { type LoadTestManifest, pathMaxLength, pathMustBe, pathPattern } from "../loadtest/load-test.ts";
import { validateLoadTest } from "../loadtest/validate.ts";
import { type Destination, type Load, serviceOrigin } from "../plan/compile.ts";
import { readTextFile } from "../runtime/files.ts";
import { UsageError } from "./exit-code.ts";

export interface RunFlags {
  filename?: string;
  rate?: number;
  duration?: number;
  connections?: number;
  workers?: number;
  paths?: string[];
  target?: Endpoint;
  caFile?: string;
  insecure: boolean;
  timeout?: number;
  pacing: WorkerPlan["pacing"];
  quiet: boolean;
  output: "text" | "json";
}

export interface Endpoint {
  host: string;
  port: number;
}

export interface RunRequest {
  load: Load;
  destination: Destination;
}

const defaultLoad: Load = {
  paths: defaultPaths,
  requestsPerSecond: 100,
  durationNs: 10e9,
  workers: 1,
  connections: 64,
  timeoutNs: 10e9,
};

/** What is asked for, by URLs or by a file, flags over both. Rejects with a UsageError on contradictions. */
export async function readRequest(urls: readonly string[], flags: RunFlags): Promise<RunRequest> {
  if (urls.length > 0 === (flags.filename !== undefined)) {
    throw new UsageError("Cannot run: must have either URLs or --filename, and not both");
  }
  const { load, origin } = flags.filename === undefined ? fromUrls(urls) : await fromFile(flags.filename, flags);
  const paths = flags.paths ?? load.paths;
  for (const path of paths) {
    if (path.length > pathMaxLength || !new RegExp(pathPattern).test(path)) {
      throw new UsageError(`Cannot request ${JSON.stringify(path)}: must be ${pathMustBe}`);
    }
  }
  if (flags.caFile !== undefined && !(await readTextFile(flags.caFile)).includes("-----BEGIN CERTIFICATE-----")) {
    throw new UsageError(`Cannot trust "${flags.caFile}": it holds no certificate, must be a file of PEM certificates`);
  }
  return {
    load: {
      paths,
      requestsPerSecond: flags.rate ?? load.requestsPerSecond,
      durationNs: flags.duration ?? load.durationNs,
      workers: flags.workers ?? load.workers,
      connections: flags.connections ?? load.connections,
      timeoutNs: flags.timeout ?? load.timeoutNs,
    },
    destination: {
      origin,
      ...(flags.target === undefined ? {} : { connectTo: flags.target }),
      caFiles: flags.caFile === undefined ? [] : [flags.caFile],
      insecure: flags.insecure,
    },
  };
}

interface Source {
  load: Load;
  origin: WorkerPlan["origin"];
}

function fromUrls(texts: readonly string[]): Source {
  const urls = texts.map(parseUrl);
  const first = urls[0] as URL;
  const other = urls.find((url) => url.origin !== first.origin);
  if (other !== undefined) {
    throw new UsageError(`Cannot run "${other}" beside "${first}": URLs must share scheme, host and port`);
  }
  const scheme = first.protocol === "https:" ? "https" : "http";
  const port = first.port === "" ? (scheme === "https" ? 443 : 80) : Number(first.port);
  const host = first.hostname.replace(/^\[|\]$/g, "");
  return {
    load: { ...defaultLoad, paths: urls.map((url) => url.pathname + url.search) },
    origin: { scheme, host, port },
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:") && url.port !== "0") return url;
  throw new UsageError(`Cannot run "${text}": must be a URL such as http://localhost:8080/index.html`);
}

async function fromFile(file: string, flags: RunFlags): Promise<Source> {
  const documents = readDocuments(await readTextFile(file));
  const [document] = documents;
  if (document === undefined || documents.length > 1) {
    throw new UsageError(`Cannot run "${file}": it holds ${documents.length} documents, must hold one LoadTest`);
  }
  if (document.problem !== undefined) throw new UsageError(`Cannot read "${file}": ${document.problem}`);
  const errors = validateLoadTest(document.object);
  if (errors.length > 0) {
    const lines = errors.map((error) => `\n  ${formatFieldError(error)}`).join("");
    throw new UsageError(`Cannot run "${file}": it is no well-formed LoadTest${lines}`);
  }
  const { metadata, spec } = document.object as LoadTestManifest;
  const effective = effectiveSpec(spec);
  if (effective.caFrom !== undefined && flags.caFile === undefined) {
    throw new UsageError(`Cannot run "${file}": spec.tls.caFrom is in a cluster, must be given here with --ca-file`);
  }
  return { load: effective, origin: serviceOrigin(effective, metadata.namespace ?? "default") };
}

/** For commander: a duration from `least` to `most`, in nanoseconds. */
export function parseDurationFlag(least: string, most: string): (text: string) => number {
  return (text) => {
    const ns = parseDuration(text);
    if (ns !== undefined && ns >= (parseDuration(least) as number) && ns <= (parseDuration(most) as number)) return ns;
    throw new InvalidArgumentError(`It must be a duration from ${least} to ${most}, such as 90s or 1h30m.`);
  };
}

/** For commander: `HOST:PORT`, IPv6 addresses in brackets. */
export function parseEndpointFlag(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw new InvalidArgumentError("It must be HOST:PORT, such as 127.0.0.1:8443.");
  }
  return { host: (match[1] ?? match[2]) as string, port };
}
