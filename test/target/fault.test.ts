import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { type FaultPlan, FaultSchedule, parseFault } from "../../lib/target/fault.ts";
import { targetReport } from "../../lib/target/report.ts";
import { framings } from "../../lib/target/response.ts";
import type { Target } from "../../lib/target/server.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok, okClosing, start, stopAll } from "./running-target.ts";

afterEach(stopAll);

const plan = (text: string) => parseFault(text) as FaultPlan;
const committed = (target: Target) => targetReport(target.tally, target.replies.given(), (ns) => ns).faults;

/** The kinds that the requests 1, 2, … get; "" for none. */
function dealt(requests: number, ...texts: string[]): string[] {
  const schedule = new FaultSchedule(texts.map(plan));
  return Array.from({ length: requests }, (_, before) => schedule.take(before + 1)?.kind ?? "");
}

test("a fault has a kind, a count and, unless it is each tenth request, a distance", () => {
  expect(plan("reset:3")).toMatchObject({ fault: { kind: "reset" }, count: 3, every: 10 });
  expect(plan("status-503:12@7")).toMatchObject({ fault: { kind: "status-503", code: 503 }, count: 12, every: 7 });
});

test("what is no fault is said plainly", () => {
  for (const text of [
    "reset",
    "reset:",
    "reset:0",
    "reset:-1",
    "reset:1.5",
    "reset:1@",
    "reset:1@0",
    "reset:1@2@3",
    "",
  ]) {
    expect(parseFault(text)).toBe(
      'no count, must be <kind>:<count> or <kind>:<count>@<every>, for example "reset:5@100"',
    );
  }
  for (const kind of ["nothing", "status-200", "status-600", "status-50", "Reset", ""]) {
    expect(parseFault(`${kind}:1`)).toBe(
      "no such kind, must be one of reset, close, timeout, malformed, reset-mid-body, truncated, close-idle, redirect, status-400 … status-599",
    );
  }
});

test("a fault comes at its distance until its count is used up", () => {
  expect(dealt(10, "reset:3@2")).toEqual(["", "reset", "", "reset", "", "reset", "", "", "", ""]);
});

test("of faults due at the same request one comes there, the others at the next requests", () => {
  expect(dealt(8, "reset:2@3", "close:2@3")).toEqual(["", "", "reset", "close", "", "reset", "close", ""]);
  expect(dealt(6, "reset:2@1", "close:2@1")).toEqual(["reset", "close", "reset", "close", "", ""]);
});

test("every planned fault comes, none before it is due", () => {
  const plans = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 12 })), { maxLength: 5 });
  fc.assert(
    fc.property(plans, (sizes) => {
      const texts = sizes.map(([count, every], i) => `status-${500 + i}:${count}@${every}`);
      const last = Math.max(0, ...sizes.map(([count, every]) => count * every));
      const planned = sizes.reduce((sum, [count]) => sum + count, 0);
      const kinds = dealt(last + planned, ...texts);
      for (const [i, [count, every]] of sizes.entries()) {
        const numbers = kinds.flatMap((kind, before) => (kind === `status-${500 + i}` ? [before + 1] : []));
        expect(numbers).toHaveLength(count);
        for (const [k, number] of numbers.entries()) expect(number).toBeGreaterThanOrEqual((k + 1) * every);
      }
      expect(kinds.filter(Boolean)).toHaveLength(planned);
    }),
  );
});

test("each kind does to the connection what it says, at once, after a service and split", async () => {
  const half = ok.slice(0, -2);
  const cases: [kind: string, text: string, endedBy: "closed" | "reset"][] = [
    ["reset", "", "reset"],
    ["close", "", "closed"],
    ["malformed", "220 this is not HTTP\r\n\r\n", "closed"],
    ["reset-mid-body", half, "reset"],
    ["truncated", half, "closed"],
    ["close-idle", ok, "closed"],
  ];
  for (const options of [{}, { serviceNs: 2e6, servers: 1 }, { isSplit: true }]) {
    for (const [kind, text, endedBy] of cases) {
      const target = start({ faults: [plan(`${kind}:1@2`)], ...options });
      const client = await RawClient.connect(target.url);
      client.send(get("/"));
      await client.receive(isBytes(ok.length));
      client.send(get("/").repeat(2));
      expect([kind, await client.receiveAll(), client.endedBy]).toEqual([kind, ok + text, endedBy]);
      expect(target.tally.requests).toBe(2);
      expect(committed(target)).toEqual({ [kind]: 1 });
    }
  }
});

test("faults that are whole responses keep the connection and say what they are", async () => {
  const target = start({ faults: ["status-500:1@1", "status-404:1@1", "redirect:1@1"].map(plan) });
  const client = await RawClient.connect(target.url);
  client.send(get("/").repeat(4));
  const all = [
    ok.replace("200 OK", "500 Internal Server Error"),
    ok.replace("200 OK", "404 Not Found"),
    ok.replace("200 OK", "302 Found").replace("plain\r\n", "plain\r\nLocation: /redirected\r\n"),
    ok,
  ].join("");
  expect(await client.receive(isBytes(all.length))).toBe(all);
  const report = targetReport(target.tally, target.replies.given(), (ns) => ns);
  expect(report.statusCodes).toEqual({ 200: 1, 302: 1, 404: 1, 500: 1 });
  expect(report.faults).toEqual({ "status-500": 1, "status-404": 1, redirect: 1 });
});

test("a timed-out request gets no answer, nor does what follows it, and the client's end is answered with an end", async () => {
  const target = start({ faults: [plan("timeout:1@2")] });
  const client = await RawClient.connect(target.url);
  client.send(get("/").repeat(3));
  await client.receive(isBytes(ok.length));
  await Bun.sleep(20);
  expect([client.pieces.join(""), client.endedBy]).toEqual([ok, undefined]);
  client.endSending();
  expect(await client.receiveAll()).toBe(ok);
  expect(committed(target)).toEqual({ timeout: 1 });
});

test("a close that nobody announced is announced in no framing, and a cut shows in every framing", async () => {
  for (const framing of framings) {
    const target = start({ framings: [framing], faults: ["close-idle:1@1", "truncated:1@1"].map(plan) });
    const whole = await RawClient.connect(target.url);
    whole.send(get("/"));
    const text = await whole.receiveAll();
    expect(text).toMatch(/\r\n(Content-Length: 3|Transfer-Encoding: chunked)\r\n/);
    expect(text).not.toContain("Connection: close");
    const cut = await RawClient.connect(target.url);
    cut.send(get("/"));
    const part = await cut.receiveAll();
    expect(text.startsWith(part)).toBe(true);
    expect(part.length).toBeLessThan(text.length);
    expect(part).toContain("\r\n\r\n");
  }
});

test("a response without a body is cut in its head", async () => {
  const target = start({ faults: [plan("truncated:2@1")] });
  const client = await RawClient.connect(target.url);
  client.send(get("/").replace("GET", "HEAD"));
  const head = ok.slice(0, -3);
  expect(await client.receiveAll()).toBe(head.slice(0, head.length >> 1));
});

test("a fault spares the requests that are refused, and does not change what the client asked of the connection", async () => {
  const target = start({ faults: [plan("status-503:1@1")] });
  const bad = await RawClient.connect(target.url);
  bad.send("nonsense\r\n\r\n");
  expect(await bad.receiveAll()).toStartWith("HTTP/1.1 400 Bad Request\r\n");
  const client = await RawClient.connect(target.url);
  client.send(get("/", "Connection: close\r\n"));
  expect(await client.receiveAll()).toBe(okClosing.replace("200 OK", "503 Service Unavailable"));
});

test("a client that is gone before its fault is not counted as faulted", async () => {
  const target = start({ serviceNs: 20e6, servers: 1, faults: [plan("close:1@1")] });
  const [leaver, stayer] = await Promise.all([RawClient.connect(target.url), RawClient.connect(target.url)]);
  leaver.send(get("/leaver"));
  await Bun.sleep(5);
  leaver.reset();
  stayer.send(get("/stayer"));
  await stayer.receive(isBytes(ok.length));
  expect(target.tally.requests).toBe(2);
  expect(committed(target)).toEqual({});
});

test("the report agrees with a client that counts for itself", async () => {
  const kinds = ["reset", "close", "reset-mid-body", "truncated", "malformed", "close-idle", "status-500", "redirect"];
  const target = start({ faults: kinds.map((kind, i) => plan(`${kind}:${i + 1}@${i + 3}`)) });
  const seen: Record<string, number> = {};
  for (let i = 0; i < 100; i++) {
    const client = await RawClient.connect(target.url);
    client.send(get("/", "Connection: close\r\n"));
    const text = await client.receiveAll();
    const what = `${client.endedBy} ${text.slice(9, 12)} ${text.length}`;
    seen[what] = (seen[what] ?? 0) + 1;
    client.close();
  }
  const faults = committed(target);
  expect(faults).toEqual(Object.fromEntries(kinds.map((kind, i) => [kind, i + 1])));
  const lengthOf = (text: string) => okClosing.replace("200 OK", text).length;
  expect(seen).toEqual({
    [`closed 200 ${okClosing.length}`]: 100 - (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8),
    "reset  0": 1,
    "closed  0": 2,
    [`reset 200 ${okClosing.length - 2}`]: 3,
    [`closed 200 ${okClosing.length - 2}`]: 4,
    ["closed is  24"]: 5,
    [`closed 200 ${ok.length}`]: 6,
    [`closed 500 ${lengthOf("500 Internal Server Error")}`]: 7,
    [`closed 302 ${lengthOf("302 Found") + "Location: /redirected\r\n".length}`]: 8,
  });
});
