import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadtest } from "./process.ts";

const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const empty = file("empty.yaml", "apiVersion: v1\nkind: Config\n");
const broken = file("broken.yaml", "apiVersion: [v1\n");

test.each<[name: string, args: string[], code: number, words: string]>([
  ["a kubeconfig that is not there", ["--kubeconfig", join(folder, "none")], 1, `"${join(folder, "none")}"`],
  ["a kubeconfig that is no YAML", ["--kubeconfig", broken], 1, `"${broken}"`],
  ["a kubeconfig without contexts", ["--kubeconfig", empty], 1, empty],
  ["an unknown context", ["--kubeconfig", empty, "--context", "elsewhere"], 1, '"elsewhere"'],
  ["a wrong poll interval", ["--poll-interval", "1"], 2, "must be a duration from 100ms to 10m"],
  ["a wrong highest rate", ["--max-rate", "many"], 2, "must be an integer from 1 to 1000000"],
])("controller with %s says so in one message", async (_, args, code, words) => {
  const outcome = await loadtest([
    "controller",
    "--worker-image",
    "localhost/loadtest:dev",
    "--health-port",
    "0",
    "--metrics-port",
    "0",
    ...args,
  ]);
  expect(outcome).toMatchObject({ code, out: "" });
  expect(outcome.err).toContain(words);
  expect(outcome.err.trim().split("\n").length).toBe(1);
});

test("controller without an image for the workers says how to name one", async () => {
  const outcome = await loadtest(["controller", "--kubeconfig", empty]);
  expect(outcome).toMatchObject({ code: 2, err: expect.stringContaining("--worker-image is missing") as never });
});
