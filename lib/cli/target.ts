// `loadtest target`: the demo server and referee, from its flags to its report.
import { isIP } from "node:net";
import { Command } from "commander";
import { parseDuration } from "../loadtest/duration.ts";
import { selfSigned } from "../pki/self-signed.ts";
import { monotonicNs, nowMs } from "../runtime/clock.ts";
import { readTextFile, writeTextFile } from "../runtime/files.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import { formatReport, targetReport } from "../target/report.ts";
import { startTarget, type Target, type TargetOptions } from "../target/server.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { outputOption } from "./output-option.ts";

interface Flags {
  port: string;
  host: string;
  tls?: true;
  cert?: string;
  key?: string;
  writeCa?: string;
  delay: string;
  maxArrivals: string;
  output: "text" | "json";
}

const certificateLifetimeMs = 365 * 24 * 3600e3;
/** Certificates begin in the past, for clients whose clocks are behind. */
const clockSkewMs = 3600e3;

/** Why it cannot listen, and what would do, by the system's error code. */
const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE: "address in use, must be a free port",
  EACCES: "permission denied, must be a port that this user may open",
  EADDRNOTAVAIL: "no address of this machine, must be one",
};

export function targetCommand(): Subcommand {
  const command = new Command("target")
    .description("serve HTTP or HTTPS for demos and tests, and report what arrived when stopped")
    .option("--port <number>", "port to listen on; 0 picks a free one", "8080")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--tls", "serve HTTPS, with a certificate made at start unless --cert and --key name one")
    .option("--cert <file>", "certificate chain, PEM; implies --tls")
    .option("--key <file>", "private key of --cert, PEM")
    .option("--write-ca <file>", "write the certificate made at start to this file, for clients to trust")
    .option("--delay <duration>", "wait before each response, for example 300us, 20ms, 1.5s", "0s")
    .option("--max-arrivals <number>", "arrivals to measure the jitter of, 8 bytes of memory each", "5000000")
    .addOption(outputOption());
  return { command, run: () => serve(command.opts<Flags>()) };
}

async function serve(flags: Flags): Promise<ExitCode> {
  const isJson = flags.output === "json";
  const options: TargetOptions = {
    hostname: flags.host,
    port: parseInteger("port", flags.port, 0, 65_535),
    delayNs: parseDelay(flags.delay),
    maxArrivals: parseInteger("max-arrivals", flags.maxArrivals, 1, 20_000_000),
  };
  const tls = await certificate(flags);
  const stop = stopSignal();
  const target = listen(tls ? { ...options, tls } : options, flags);
  if (tls !== undefined && flags.writeCa !== undefined) writeTextFile(flags.writeCa, tls.cert);
  writeOut(isJson ? `${JSON.stringify({ kind: "listening", url: target.url })}\n` : `listening on ${target.url}\n`);
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve));
  target.stop();

  const wallOriginMs = nowMs() - monotonicNs() / 1e6;
  const report = targetReport(target.tally, (instantNs) => wallOriginMs + instantNs / 1e6);
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
    const reason = listenFailures[code] ?? `${message}, must be an address of this machine`;
    throw new Error(`Cannot listen on "${options.hostname}:${options.port}": ${reason}`);
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
  throw new UsageError(`Cannot use --${flag} "${text}": out of range, must be an integer from ${least} to ${most}`);
}

function parseDelay(text: string): number {
  const delayNs = parseDuration(text);
  if (delayNs !== undefined) return delayNs;
  throw new UsageError(`Cannot use --delay "${text}": no duration, must be a number with its unit, for example "20ms"`);
}
