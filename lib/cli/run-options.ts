// The flags of `loadtest run`, with what each must be.
import { type Command, InvalidArgumentError, Option } from "commander";
import { highestRate } from "../load/rate-curve.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { parseDuration } from "../loadtest/duration.ts";
import type { Threshold } from "../stats/threshold.ts";
import { parseDurationFlag } from "./duration-option.ts";
import { integerOption } from "./integer-option.ts";
import { outputOption } from "./output-option.ts";
import { thresholdOption } from "./threshold-option.ts";

export interface RunFlags {
  filename?: string;
  rate?: number | "max";
  duration?: number;
  stage?: { durationNs: number; requestsPerSecond: number }[];
  arrivals?: "Constant" | "Poisson";
  seed: number;
  connections?: number;
  connectionLifetime?: number;
  workers?: number;
  paths?: string[];
  method?: string;
  header?: string[];
  body?: string;
  expectStatus?: number[];
  target?: Endpoint;
  caFile?: string;
  cert?: string;
  key?: string;
  serverName?: string;
  insecure?: true;
  timeout?: number;
  pacing: WorkerPlan["pacing"];
  threshold?: Threshold[];
  findMax?: true;
  quiet?: true;
  output: "text" | "json";
}

export interface Endpoint {
  host: string;
  port: number;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export function addRunOptions(command: Command): Command {
  return command
    .argument("[url...]", "what to request; several URLs share scheme, host and port, and are requested in turn")
    .option("-f, --filename <file>", "a LoadTest to run instead of URLs; - is stdin")
    .addOption(
      new Option(
        "--rate <n>",
        "requests per second, or max: as fast as responses come (default: 100, or the LoadTest's)",
      ).argParser(parseRate),
    )
    .addOption(
      new Option("--duration <duration>", "how long, such as 90s (default: 10s, or what the LoadTest says)").argParser(
        parseDurationFlag("1s", "168h"),
      ),
    )
    .addOption(
      new Option("--stage <duration:rate>", "a linear ramp to a rate, such as 30s:500; may be given again").argParser(
        (text: string, former: RunFlags["stage"]) => [...(former ?? []), parseStage(text)],
      ),
    )
    .addOption(
      new Option("--arrivals <kind>", "evenly spaced, or by chance as those of many users").choices([
        "Constant",
        "Poisson",
      ]),
    )
    .addOption(
      integerOption("--seed <n>", "of Poisson arrivals: the same seed, the same instants", 0, 0xffffffff).default(1),
    )
    .addOption(
      integerOption("--connections <n>", "open connections of each worker (default: 64, or the LoadTest's)", 1, 4096),
    )
    .addOption(
      new Option(
        "--connection-lifetime <duration>",
        "open connections anew after this time (default: never)",
      ).argParser(parseDurationFlag("1s", "168h")),
    )
    .addOption(integerOption("--workers <n>", "worker processes (default: 1, or the LoadTest's)", 1, 64))
    .option("--paths <path...>", "paths to request in turn, at the URL's host")
    .addOption(new Option("--method <method>", "of all requests (default: GET, with --body POST)").choices(methods))
    .addOption(
      new Option(
        "-H, --header <name: value>",
        "a header field; a value of @FILE is read from the file; may be given again",
      ).argParser((text: string, former: RunFlags["header"]) => [...(former ?? []), text]),
    )
    .option("--body <text>", "of all requests; @FILE is read from the file")
    .addOption(
      new Option(
        "--expect-status <code>",
        "status code that completes a request; may be given again (default: 200 to 399)",
      ).argParser((text: string, former: number[] | undefined) => [...(former ?? []), parseStatus(text)]),
    )
    .addOption(
      new Option("--target <host:port>", "where to connect, whatever the URL says").argParser(parseEndpointFlag),
    )
    .option("--ca-file <file>", "PEM certificates to trust beside the public ones")
    .option("--cert <file>", "PEM certificate chain of the client")
    .option("--key <file>", "PEM private key of --cert")
    .option("--server-name <name>", "name to ask for and to find in the certificate (default: the URL's host)")
    .option("--insecure", "accept any certificate")
    .addOption(
      new Option("--timeout <duration>", "of a request (default: 10s)").argParser(parseDurationFlag("1ms", "10m")),
    )
    .addOption(
      new Option("--pacing <mode>", "who owns the core: balanced is on time to microseconds, relaxed saves CPU")
        .choices(["balanced", "relaxed"])
        .default("balanced"),
    )
    .addOption(thresholdOption())
    .option("--find-max", "search the highest rate that keeps the thresholds (default: p99=100ms, errorRate=0%)")
    .option("-q, --quiet", "no progress on stderr")
    .addOption(outputOption());
}

function parseRate(text: string): number | "max" {
  if (text === "max") return "max";
  const rate = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (rate >= 1 && rate <= highestRate) return rate;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${highestRate}, or max.`);
}

function parseStage(text: string): { durationNs: number; requestsPerSecond: number } {
  const [, duration = "", rate] = /^([^:]+):([0-9]+)$/.exec(text) ?? [];
  const durationNs = parseDuration(duration);
  const requestsPerSecond = Number(rate);
  if (durationNs !== undefined && durationNs >= 1e9 && requestsPerSecond <= highestRate) {
    return { durationNs, requestsPerSecond };
  }
  throw new InvalidArgumentError(`It must be DURATION:RATE, at least 1s and at most ${highestRate}, such as 30s:500.`);
}

function parseStatus(text: string): number {
  const status = /^[0-9]{3}$/.test(text) ? Number(text) : Number.NaN;
  if (status >= 200 && status <= 599) return status;
  throw new InvalidArgumentError("It must be a status code from 200 to 599.");
}

/** For commander: `HOST:PORT`, IPv6 addresses in brackets. */
function parseEndpointFlag(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw new InvalidArgumentError("It must be HOST:PORT, such as 127.0.0.1:8443.");
  }
  return { host: (match[1] ?? match[2]) as string, port };
}
