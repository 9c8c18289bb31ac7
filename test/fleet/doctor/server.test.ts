// What the doctor says of an API server and its nodes.
import { describe, expect, test } from "bun:test";
import { judgeNodeClocks, judgeNodes } from "../../../lib/fleet/doctor/nodes.ts";
import type { Node } from "../../../lib/fleet/doctor/resources.ts";
import { clockSkewMs, judgeClock, judgeVersion } from "../../../lib/fleet/doctor/server.ts";
import { ago, named, nowMs, said } from "./samples.ts";

describe("server", () => {
  test.each([
    [{ gitVersion: "v1.34.4", minor: "34" }, "ok: v1.34.4, tested with 1.31 to 1.34"],
    [{ gitVersion: "v1.31.9-eks", minor: "31+" }, "ok: v1.31.9-eks, tested with 1.31 to 1.34"],
    [
      { gitVersion: "v1.34.4", minor: "34", emulationMinor: "31" },
      "ok: v1.34.4, which behaves as 1.31, tested with 1.31 to 1.34",
    ],
    [{ gitVersion: "v1.35.0", minor: "35" }, "warning: v1.35.0: tested with 1.31 to 1.34 only"],
    [{ gitVersion: "v1.30.1", minor: "30" }, "warning: v1.30.1: tested with 1.31 to 1.34 only"],
    [{ gitVersion: "v1.29.0", minor: "29" }, "failure: v1.29.0: must be 1.30 or later"],
    [
      { gitVersion: "v1.34.4", minor: "34", emulationMinor: "29" },
      "failure: v1.34.4, which behaves as 1.29: must be 1.30 or later",
    ],
  ])("version %j", (version, words) => {
    expect(said(judgeVersion(version))).toBe(words);
  });

  test.each([
    // the server tells whole seconds: from 10.000 to 10.999
    [{ serverMs: 10_000, beforeMs: 10_000, afterMs: 10_100 }, 0],
    [{ serverMs: 10_000, beforeMs: 10_900, afterMs: 11_500 }, 0],
    [{ serverMs: 10_000, beforeMs: 4000, afterMs: 4100 }, 5900],
    [{ serverMs: 10_000, beforeMs: 21_000, afterMs: 21_100 }, -10_000],
  ])("clock %j is off by %d ms", (reading, skewMs) => {
    expect(clockSkewMs(reading)).toBe(skewMs);
  });

  test("a clock that is off is a warning, and a failure where certificates suffer", () => {
    const at = (serverMs: number) => judgeClock({ serverMs, beforeMs: 1e9, afterMs: 1e9 });
    expect(said(at(1e9 + 2000))).toBe("ok: the API server's agrees with this machine's");
    expect(said(at(1e9 + 5000))).toBe("warning: the API server's is 5 s ahead of this machine's");
    expect(said(at(1e9 - 600_000))).toBe("failure: the API server's is 9 min behind this machine's");
    expect(judgeClock(undefined).level).toBe("warning");
  });
});

describe("nodes", () => {
  const node = (name: string, version = "v1.34.4", ready = "True") =>
    ({
      ...named("Node", name),
      status: { conditions: [{ type: "Ready", status: ready }], nodeInfo: { kubeletVersion: version } },
    }) as Node;
  test.each([
    [[node("a"), node("b", "v1.33.1")], "ok: 2 nodes ready, v1.33.1, v1.34.4"],
    [[], "warning: there are none, so that nothing can run"],
    [[node("a"), node("b", "v1.34.4", "Unknown")], "warning: 1 of 2 not ready: b"],
    [
      [node("a", "v1.35.0"), node("b", "v1.30.2"), node("c", "v1.31.0")],
      "warning: kubelets that do not go with an API server of 1.34: a (v1.35.0), b (v1.30.2)",
    ],
  ])("of case %#", (nodes, words) => {
    expect(said(judgeNodes(nodes, 34))).toBe(words);
  });

  test("clocks are judged by the Leases of nodes that are ready", () => {
    const beat = (name: string, seconds: number) => ({ ...named("Lease", name), spec: { renewTime: ago(seconds) } });
    const nodes = [node("good"), node("ahead"), node("behind"), node("gone", "v1.34.4", "Unknown")];
    const beats = [beat("good", 9), beat("ahead", -5), beat("behind", 90), beat("gone", 500), beat("stranger", -50)];
    expect(said(judgeNodeClocks(nodes, beats, nowMs))).toBe("warning: ahead is 5 s ahead, behind is up to 90 s behind");
    expect(judgeNodeClocks(nodes.slice(0, 1), beats, nowMs).level).toBe("ok");
  });
});
