// scripts/bench controller: the reconcile loop on a real API server, beside a controller-runtime controller if there is
// one to compare with, as a report in Markdown.
import { existsSync } from "node:fs";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { describeProgram } from "../driver-bench/machine.ts";
import {
  binary,
  parseCount,
  Report,
  readArguments,
  runProgram,
  type Suites,
  say,
  UsageError,
} from "../driver-bench/program.ts";
import type { ControllerBench } from "./bench.ts";
import { controllerRuntime, ours } from "./contender.ts";
import { burst } from "./suites/burst.ts";
import { idle } from "./suites/idle.ts";
import { latency } from "./suites/latency.ts";

const suites: Suites<ControllerBench> = { latency, burst, idle };

await runProgram(async (stop) => {
  const { names, flags } = readArguments(suites, "runs", "count", "comparator", "write");
  const { comparator } = flags;
  if (comparator !== undefined && !existsSync(comparator)) {
    throw new UsageError(`Cannot compare with "${comparator}": there is no such file`);
  }
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig === undefined) throw new UsageError("Cannot start: KUBECONFIG is missing, must name a kubeconfig");
  const runs = parseCount("runs", flags.runs, 50_000);
  const count = parseCount("count", flags.count, 50_000);
  const report = new Report("controller", flags.write);
  const client = new HttpKubeClient(await loadConnection({ kubeconfig }));
  const { gitVersion } = JSON.parse(await client.raw("/version")) as { gitVersion: string };
  const others = comparator === undefined ? [] : [controllerRuntime(comparator)];
  const contenders = [ours(binary), ...others];
  const measured = `Kubernetes ${gitVersion}, ${await describeProgram("loadtest", [binary, "version"])}.`;
  const bench = { client, kubeconfig, binary, contenders, runs, count, stop, say };
  await report.write(measured, suites, names, bench);
});
process.exit();
