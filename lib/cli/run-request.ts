// The arguments of `loadtest run` → the load and where it goes.
import { headerProblem } from "../load/request.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { defaultPaths, type EffectiveRequest, type EffectiveSpec, getRequest } from "../loadtest/defaults.ts";
import { pathMaxLength, pathMustBe, pathPattern } from "../loadtest/http-request.ts";
import { type Destination, type Load, type LoadRequest, serviceBackends } from "../plan/compile.ts";
import { readTextFile } from "../runtime/files.ts";
import type { Threshold } from "../stats/threshold.ts";
import { UsageError } from "./exit-code.ts";
import type { RunFlags } from "./run-options.ts";

export interface RunRequest {
  load: Load;
  destination: Destination;
  /** Empty: nobody has asked for any. */
  thresholds: readonly Threshold[];
}

const defaultLoad: Load = {
  requests: defaultPaths.map(getRequest),
  requestsPerSecond: 100,
  durationNs: 10e9,
  stages: undefined,
  arrivals: "Constant",
  workers: 1,
  connections: 64,
  connectionLifetimeNs: undefined,
  timeoutNs: 10e9,
};

/** What is asked for, by URLs or by a file, flags over both. Rejects with a UsageError on contradictions. */
export async function readRequest(urls: readonly string[], flags: RunFlags): Promise<RunRequest> {
  if (urls.length > 0 === (flags.filename !== undefined)) {
    throw new UsageError("Cannot run: must have either URLs or --filename, and not both");
  }
  refuseContradictions(flags);
  const source = flags.filename === undefined ? fromUrls(urls, flags) : await fromFile(flags.filename, flags);
  const { load, backends } = source;
  return {
    load: {
      requests: flags.paths === undefined ? load.requests : requestsTo(flags.paths, flags),
      requestsPerSecond: flags.rate ?? load.requestsPerSecond,
      ...schedule(flags, load),
      arrivals: flags.arrivals ?? load.arrivals,
      workers: flags.workers ?? load.workers,
      connections: flags.connections ?? load.connections,
      connectionLifetimeNs: flags.connectionLifetime ?? load.connectionLifetimeNs,
      timeoutNs: flags.timeout ?? load.timeoutNs,
    },
    destination: {
      backends,
      ...(flags.target === undefined ? {} : { connectTo: flags.target }),
      tls: await tls(flags, source),
    },
    thresholds: flags.threshold ?? source.thresholds ?? [],
  };
}

interface Source {
  load: Load;
  backends: Destination["backends"];
  serverName?: string | undefined;
  insecure?: boolean;
  thresholds?: readonly Threshold[];
}

function refuseContradictions(flags: RunFlags): void {
  if (flags.stage !== undefined && flags.duration !== undefined) {
    throw new UsageError("Cannot use --duration beside --stage: stages have their own durations");
  }
  const isClosedLoop = flags.rate === "max" || flags.findMax;
  if (isClosedLoop && (flags.stage !== undefined || flags.arrivals === "Poisson")) {
    const flag = flags.findMax ? "--find-max" : "--rate max";
    throw new UsageError(`Cannot use ${flag} beside --stage or --arrivals Poisson: they need a rate`);
  }
  if (flags.findMax && flags.rate !== undefined) {
    throw new UsageError("Cannot use --rate beside --find-max: the rate is what is searched");
  }
  if ((flags.cert === undefined) !== (flags.key === undefined)) {
    throw new UsageError("Cannot use --cert without --key, or --key without --cert: must be both or neither");
  }
  const shapes = { method: flags.method, header: flags.header, body: flags.body, "expect-status": flags.expectStatus };
  const shape = Object.entries(shapes).find(([, value]) => value !== undefined)?.[0];
  if (flags.filename !== undefined && shape !== undefined) {
    throw new UsageError(`Cannot use --${shape} beside --filename: the LoadTest's requests say it`);
  }
}

/** Flags for the length of the load replace all of what the source says of it; without a rate there are no stages. */
function schedule(flags: RunFlags, load: Load): Pick<Load, "durationNs" | "stages"> {
  if (flags.stage !== undefined) return { durationNs: undefined, stages: flags.stage };
  if (flags.duration !== undefined) return { durationNs: flags.duration, stages: undefined };
  if (flags.findMax) return { durationNs: load.durationNs ?? defaultLoad.durationNs, stages: undefined };
  return { durationNs: load.durationNs, stages: flags.rate === "max" ? undefined : load.stages };
}

async function tls(flags: RunFlags, source: Source): Promise<WorkerPlan["tls"]> {
  if (flags.caFile === "-")
    throw new UsageError('Cannot trust "-": must be a file, which each worker reads for itself');
  if (flags.caFile !== undefined && !(await readTextFile(flags.caFile)).includes("-----BEGIN CERTIFICATE-----")) {
    throw new UsageError(`Cannot trust "${flags.caFile}": it holds no certificate, must be a file of PEM certificates`);
  }
  const serverName = flags.serverName ?? source.serverName;
  const { cert, key } = flags;
  return {
    caFiles: flags.caFile === undefined ? [] : [flags.caFile],
    insecure: flags.insecure || source.insecure === true,
    ...(serverName === undefined ? {} : { serverName }),
    ...(cert === undefined || key === undefined ? {} : { clientCertificate: { certFile: cert, keyFile: key } }),
  };
}

function requestsTo(paths: readonly string[], flags: RunFlags): LoadRequest[] {
  const { body, expectStatus } = flags;
  const headers = (flags.header ?? []).map(parseHeader);
  for (const path of paths) {
    if (path.length > pathMaxLength || !new RegExp(pathPattern).test(path)) {
      throw new UsageError(`Cannot request ${JSON.stringify(path)}: must be ${pathMustBe}`);
    }
  }
  for (const { name, value = "" } of headers) {
    const problem = headerProblem({ name, value });
    if (problem !== undefined) throw new UsageError(`Cannot send the header "${name}": ${problem}`);
  }
  const bodyFile = body?.startsWith("@") ? fileOf(body) : undefined;
  return paths.map((path) => ({
    ...getRequest(path),
    method: flags.method ?? (body === undefined ? "GET" : "POST"),
    headers,
    body: bodyFile === undefined ? body : undefined,
    ...(bodyFile === undefined ? {} : { bodyFile }),
    expectStatus,
  }));
}

/** `NAME: VALUE`, or `NAME: @FILE`. What is wrong with one is said without showing it: it may hold a secret. */
function parseHeader(text: string, index: number): LoadRequest["headers"][number] {
  const [, name, value = ""] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined) {
    throw new UsageError(
      `Cannot send header number ${index + 1}: it has no name, or a space in it, must be "NAME: VALUE"`,
    );
  }
  return value.startsWith("@") ? { name, valueFile: fileOf(value) } : { name, value: value.trim() };
}

/** The file in `@FILE`. Not stdin: each worker reads the file for itself. */
function fileOf(text: string): string {
  const file = text.slice(1);
  if (file !== "" && file !== "-") return file;
  throw new UsageError(`Cannot read "${text}": must be @ and the name of a file`);
}

function fromUrls(texts: readonly string[], flags: RunFlags): Source {
  const urls = texts.map(parseUrl);
  const first = urls[0] as URL;
  const other = urls.find((url) => url.origin !== first.origin);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot run "${other.origin}" beside "${first.origin}": URLs must share scheme, host and port`,
    );
  }
  const scheme = first.protocol === "https:" ? "https" : "http";
  const port = first.port === "" ? (scheme === "https" ? 443 : 80) : Number(first.port);
  const host = first.hostname.replace(/^\[|\]$/g, "");
  const paths = urls.map((url) => url.pathname + url.search);
  const backends = [{ origin: { scheme, host, port } as const, percent: 100 }];
  return { load: { ...defaultLoad, requests: requestsTo(paths, flags) }, backends };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== "" || url.password !== "")) {
    throw new UsageError(
      `Cannot run "${url.origin}" with credentials in the URL: must be in -H 'Authorization: @FILE'`,
    );
  }
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:") && url.port !== "0") return url;
  throw new UsageError(`Cannot run "${text}": must be a URL such as http://localhost:8080/index.html`);
}

async function fromFile(file: string, flags: RunFlags): Promise<Source> {
  // Loaded only here: YAML and the validator would cost every other run a tenth of a second of its start.
  const { readLoadTestFile } = await import("./load-test-file.ts");
  const { namespace, spec, canary } = await readLoadTestFile(file);
  const problem = clusterOnly(spec, flags);
  if (problem !== undefined) throw new UsageError(`Cannot run "${file}": ${problem}`);
  const { serverName, insecure, thresholds } = spec;
  return { load: spec, backends: serviceBackends(spec, canary, namespace), serverName, insecure, thresholds };
}

/** What a LoadTest names that only a cluster has, and nobody has given here. */
function clusterOnly({ caFile, clientCertificate, requests }: EffectiveSpec, flags: RunFlags): string | undefined {
  if (caFile !== undefined && flags.caFile === undefined) {
    return "spec.tls.caFrom is in a cluster, must be given here with --ca-file";
  }
  if (clientCertificate !== undefined && flags.cert === undefined) {
    return "spec.tls.clientCertificateFrom is in a cluster, must be given here with --cert and --key";
  }
  const isElsewhere = (request: EffectiveRequest) =>
    request.bodyFile !== undefined || request.headers.some(({ valueFile }) => valueFile !== undefined);
  if (flags.paths !== undefined || !requests.some(isElsewhere)) return undefined;
  return "spec.requests has values from Secrets or ConfigMaps, which are in a cluster, must have value and body";
}
