// `loadtest target`: the demo server and referee, from its flags to its report.
import { isIP } from "node:net";
import { Command } from "commander";
import { formatDuration, parseDuration } from "../loadtest/duration.ts";
import { selfSigned } from "../pki/self-signed.ts";
import { monotonicNs, nowMs } from "../runtime/clock.ts";
import { readTextFile, writeTextFile } from "../runtime/files.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal, untilAborted } from "../runtime/signals.ts";
import { type FaultPlan, parseFault } from "../target/fault.ts";
import { formatReport, targetReport } from "../target/report.ts";
import { type Framing, framings } from "../target/response.ts";
import { startTarget, type Target, type TargetOptions } from "../target/server.ts";
import type { Stall } from "../target/stalls.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { listenFailure } from "./listening.ts";
import { outputOption } from "./output-option.ts";

interface Flags {
  port: string;
  host: string;
  tls?: true;
  cert?: string;
  key?: string;
  writeCa?: string;
  delay?: string;
  serviceTime?: string;
  servers?: string;
  stall?: string[];
  fault?: string[];
  framing: string;
  bodyBytes: string;
  split?: true;
  maxArrivals: string;
  output: "text" | "json";
}

const certificateLifetimeMs = 365 * 24 * 3600e3;
/** Certificates begin in the past, for clients whose clocks are behind. */
const clockSkewMs = 3600e3;

const again = "may be given again";

const explanations = `
Faults: --fault reset:5@100 resets the connection at requests 100, 200, … 500;
without @every it is each 10th request. A request has one fault at most: of
several that are due, the longest due comes first and the others move on to the
next requests. The report counts what was really done.
  reset            the connection is reset (RST) instead of a response
  close            the connection is closed instead of a response
  timeout          no response ever comes, the connection stays open
  malformed        bytes that are not HTTP, then the connection is closed
  reset-mid-body   half of the response, then the connection is reset
  truncated        half of the response, then the connection is closed
  close-idle       the response, then the connection is closed without having said so
  redirect         302, to /redirected
  status-<code>    a response with this status, 400 to 599

Framings:
  length               Content-Length
  chunked              chunks
  chunked-extensions   chunks with extensions and leading zeros
  trailers             chunks, then trailer fields
  close                the body ends with the connection
  http10               HTTP/1.0: Content-Length, then the connection is closed
  http10-keep-alive    HTTP/1.0: Content-Length, and the connection is kept
  interim              100 and 103 before a response with Content-Length
  mixed                all of these in turn, one a request
A client of HTTP/1.0 gets length where it would not understand the framing.
`;

export function targetCommand(): Subcommand {
  const command = new Command("target")
    .description("serve HTTP or HTTPS for demos and tests, and report what arrived when stopped")
    .option("--port <number>", "port to listen on; 0 picks a free one", "8080")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--tls", "serve HTTPS, with a certificate made at start unless --cert and --key name one")
    .option("--cert <file>", "certificate chain, PEM; implies --tls")
    .option("--key <file>", "private key of --cert, PEM")
    .option("--write-ca <file>", "write the certificate made at start to this file, for clients to trust")
    .option("--delay <duration>", "wait before each response, for example 300us, 20ms, 1.5s")
    .option(
      "--service-time <duration>",
      "what each request takes of a server; while all servers are busy, requests queue",
    )
    .option("--servers <number>", "requests served at the same time with --service-time (default: 1)")
    .option("--stall <at:length>", `freeze, for example 10s:3s: 10s after the first request, for 3s; ${again}`, append)
    .option("--fault <kind:count@every>", `answer some requests with a fault, see below; ${again}`, append)
    .option("--framing <framing>", "how responses are framed, see below", "length")
    .option("--body-bytes <number>", "size of the response's body", "3")
    .option("--split", "send each response in several TCP segments, cut at awkward places")
    .option("--max-arrivals <number>", "arrivals to measure the jitter of, 8 bytes of memory each", "5000000")
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => serve(command.opts<Flags>()) };
}

async function serve(flags: Flags): Promise<ExitCode> {
  const isJson = flags.output === "json";
  const options: TargetOptions = {
    hostname: flags.host,
    port: parseInteger("port", flags.port, 0, 65_535),
    ...parseService(flags),
    stalls: parseStalls(flags.stall ?? []),
    faults: (flags.fault ?? []).map(parseFaultFlag),
    framings: parseFraming(flags.framing),
    bodyBytes: parseInteger("body-bytes", flags.bodyBytes, 0, 16 * 1024 * 1024),
    isSplit: flags.split === true,
    maxArrivals: parseInteger("max-arrivals", flags.maxArrivals, 1, 20_000_000),
  };
  const tls = await certificate(flags);
  const stop = stopSignal();
  const target = listen(tls ? { ...options, tls } : options, flags);
  if (tls !== undefined && flags.writeCa !== undefined) writeTextFile(flags.writeCa, tls.cert);
  writeOut(isJson ? `${JSON.stringify({ kind: "listening", url: target.url })}\n` : `listening on ${target.url}\n`);
  await untilAborted(stop);
  target.stop();

  const wallOriginMs = nowMs() - monotonicNs() / 1e6;
  const report = targetReport(target.tally, target.replies.given(), (instantNs) => wallOriginMs + instantNs / 1e6);
  writeOut(isJson ? `${JSON.stringify(report)}\n` : formatReport(report));
  return ExitCode.Passed;
}

function listen(options: TargetOptions, flags: Flags): Target {
  try {
    return startTarget(options);
  } catch (error: unknown) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code.startsWith("ERR_OSSL")) {
      const what = `Cannot use certificate "${flags.cert}" with key "${flags.key}"`;
      throw new Error(`${what}: ${message}, must be PEM files that belong together`);
    }
    throw listenFailure(options.hostname, options.port, error);
  }
}

/** The certificate and key to serve with; undefined for plain HTTP. */
async function certificate(flags: Flags): Promise<TargetOptions["tls"]> {
  const { cert, key, writeCa } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new UsageError(`Cannot use --${given} "${cert ?? key}": no --${missing} is given, must be both or neither`);
  }
  const makesOne = flags.tls === true && cert === undefined;
  if (writeCa !== undefined && !makesOne) {
    throw new UsageError(`Cannot write CA "${writeCa}": no certificate is made, must be with --tls and without --cert`);
  }
  if (cert !== undefined && key !== undefined) return { cert: await readTextFile(cert), key: await readTextFile(key) };
  if (!makesOne) return undefined;
  return makeCertificate(flags.host);
}

/** A new certificate for this machine's loopback names and for `host`. */
async function makeCertificate(host: string): Promise<{ cert: string; key: string }> {
  const names = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  const { certificatePem, keyPem } = await selfSigned({
    keys: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    dnsNames: names.filter((name) => isIP(name) === 0),
    ipAddresses: names.filter((name) => isIP(name) !== 0),
    serialNumber: crypto.randomUUID().replaceAll("-", ""),
    notBeforeMs: nowMs() - clockSkewMs,
    notAfterMs: nowMs() + certificateLifetimeMs,
  });
  return { cert: certificatePem, key: keyPem };
}

function parseInteger(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const what = /^-?\d+$/.test(text) ? "out of range" : "no integer";
  throw new UsageError(`Cannot use --${flag} "${text}": ${what}, must be an integer from ${least} to ${most}`);
}

function parseDurationFlag(flag: string, text: string): number {
  const ns = parseDuration(text);
  if (ns !== undefined) return ns;
  throw new UsageError(
    `Cannot use --${flag} "${text}": no duration, must be a number with its unit, for example "20ms"`,
  );
}

/** A delay is a service without a bound on the servers. */
function parseService({ delay, serviceTime, servers }: Flags): Pick<TargetOptions, "serviceNs" | "servers"> {
  if (serviceTime === undefined) {
    if (servers === undefined) return { serviceNs: parseDurationFlag("delay", delay ?? "0s"), servers: Infinity };
    throw new UsageError(`Cannot use --servers "${servers}": no --service-time is given, must be given with it`);
  }
  if (delay !== undefined) {
    throw new UsageError(`Cannot use --delay "${delay}": --service-time is given as well, must be one of them`);
  }
  const serviceNs = parseDurationFlag("service-time", serviceTime);
  if (serviceNs > 0) return { serviceNs, servers: parseInteger("servers", servers ?? "1", 1, 1_000_000) };
  throw new UsageError(`Cannot use --service-time "${serviceTime}": it takes no time, must be longer than 0s`);
}

/** In the order of time. */
function parseStalls(texts: readonly string[]): Stall[] {
  const stalls = texts.map((text) => {
    const [at = "", length = "", ...more] = text.split(":");
    const [atNs, lengthNs] = [parseDuration(at), parseDuration(length)];
    if (atNs !== undefined && lengthNs && more.length === 0) return { text, atNs, lengthNs };
    const must = 'must be <at>:<length>, for example "10s:3s"';
    throw new UsageError(`Cannot use --stall "${text}": no two durations with a length above 0s, ${must}`);
  });
  stalls.sort((a, b) => a.atNs - b.atNs);
  for (const [index, { text, atNs }] of stalls.entries()) {
    const before = stalls[index - 1];
    if (before === undefined || atNs >= before.atNs + before.lengthNs) continue;
    const endNs = before.atNs + before.lengthNs;
    const what = `Cannot use --stall "${text}": it begins within "${before.text}"`;
    throw new UsageError(`${what}, must be at ${formatDuration(endNs)} or later`);
  }
  return stalls;
}

function parseFaultFlag(text: string): FaultPlan {
  const plan = parseFault(text);
  if (typeof plan !== "string") return plan;
  throw new UsageError(`Cannot use --fault "${text}": ${plan}`);
}

function parseFraming(text: string): readonly Framing[] {
  const chosen = text === "mixed" ? framings : framings.filter((framing) => framing === text);
  if (chosen.length > 0) return chosen;
  const must = `must be one of ${framings.join(", ")}, mixed`;
  throw new UsageError(`Cannot use --framing "${text}": no such framing, ${must}`);
}

/** For commander: the values of an option that may be given again. */
function append(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
