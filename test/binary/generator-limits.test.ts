import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import type { Summary } from "../../lib/stats/summary.ts";
import { binary, startTarget } from "./process.ts";

/** Runs a shell script with $0 = the binary; the summary that it prints, and the exit code. */
async function runIn(script: string, ...args: string[]): Promise<{ summary: Summary; code: number }> {
  const child = Bun.spawn(["bash", "-c", script, binary, ...args], { stdout: "pipe", stderr: "inherit" });
  const [out, code] = await Promise.all([child.stdout.text(), child.exited]);
  return { summary: JSON.parse(out), code };
}

const quietly = "--quiet --output json";
const isRoot = process.getuid?.() === 0;

test("too few file descriptors make a run inconclusive, by name", async () => {
  const target = await startTarget();
  const script = `ulimit -n 60; "$0" run "$1" --rate 500 --duration 1s ${quietly}`;
  const { summary, code } = await runIn(script, target.url);
  await target.stop();
  expect(code).toBe(4);
  expect(summary).toMatchObject({ valid: false, passed: null });
  expect(summary.invalidReasons.join()).toContain("ran out of file descriptors");
});

test.skipIf(!isRoot)("too few local ports make a run inconclusive, by name", async () => {
  const { summary, code } = await runIn(`exec unshare --net bash -c '
    ip link set lo up
    echo "40000 40019" > /proc/sys/net/ipv4/ip_local_port_range
    exec {out}< <(exec "$0" target --port 8080)
    server=$!
    read -r _ <&"$out"
    "$0" run http://127.0.0.1:8080/ --rate 500 --duration 1s ${quietly}
    code=$?
    kill "$server"
    exit "$code"' "$0"`);
  expect(code).toBe(4);
  expect(summary.invalidReasons.join()).toContain("ran out of local ports");
});

/** A new cgroup with a fifth of a core. */
function makeThrottledGroup(): string {
  const isV1 = existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const folder = `/sys/fs/cgroup/${isV1 ? "cpu/" : ""}loadtest-test-${process.pid}`;
  mkdirSync(folder);
  if (isV1) writeFileSync(`${folder}/cpu.cfs_quota_us`, "20000");
  else writeFileSync(`${folder}/cpu.max`, "20000 100000");
  return folder;
}

test.skipIf(!isRoot)("a CPU limit that bites makes a run inconclusive, by name", async () => {
  const target = await startTarget();
  const group = makeThrottledGroup();
  const script = `echo $$ > "$2/cgroup.procs"; exec "$0" run "$1" --rate 1000 --duration 2s ${quietly}`;
  const { summary, code } = await runIn(script, target.url, group);
  await target.stop();
  rmdirSync(group);
  expect(code).toBe(4);
  expect(summary.invalidReasons.join()).toContain("CPU limit stopped the generator");
});

test("a generator that is stopped for a second shows it as slip, and not as the target's service time", async () => {
  const target = await startTarget();
  const args = ["run", target.url, "--rate", "1000", "--duration", "3s", "--quiet", "--output", "json"];
  const run = Bun.spawn([binary, ...args], { stdout: "pipe", stderr: "inherit" });
  await Bun.sleep(1500);
  const worker = Number(readFileSync(`/proc/${run.pid}/task/${run.pid}/children`, "utf8").trim());
  process.kill(worker, "SIGSTOP");
  await Bun.sleep(1000);
  process.kill(worker, "SIGCONT");
  const summary = JSON.parse(await run.stdout.text()) as Summary;
  await target.stop();
  expect(await run.exited).toBe(4);
  expect(summary).toMatchObject({ scheduled: 3000, completed: 3000, valid: false });
  expect(summary.invalidReasons.join()).toContain("the machine gave the generator no CPU");
  for (const times of [summary.latencyUs, summary.slipUs, summary.generatorSlipUs]) {
    expect(times.p90).toBeGreaterThan(0.6e6);
    expect(times.p90).toBeLessThan(0.9e6);
  }
  expect(summary.serviceTimeUs.p95).toBeLessThan(0.3e6);
});
