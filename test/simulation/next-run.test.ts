import { expect, test } from "bun:test";
import { simulate } from "./simulation.ts";

test("a run that was asked for during another is judged at that one's verdict, and does not wait for a poll", () => {
  const spec = { service: "web", scheme: "http", requestsPerSecond: 10, workers: 1, duration: "10s" } as const;
  const { broken, trace } = simulate(
    {
      seed: 1,
      replicas: 1,
      steps: [
        { atMs: 2000, do: "create", name: "a", spec },
        { atMs: 8000, do: "edit", name: "a", change: { runID: "two", requestsPerSecond: 2000 } }, // too many
      ],
    },
    { isTraced: true },
  );
  expect(broken).toBeUndefined();
  const since = trace.slice(trace.findIndex((line) => line.includes(": ended")));
  const until = since.findIndex((line) => line.includes("DELETE /v1/namespaces/ns/pods"));
  expect(until).toBeGreaterThan(0);
  expect(since.slice(0, until).filter((line) => line.includes("GET /beta.kuar.com/v1/loadtests: "))).toEqual([]);
});
