// The dependency rule, enforced: which folder of lib/ may import which, and what a pure folder may not say.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");
const pure = ["loadtest", "plan", "load", "stats", "pki", "manifest"];

/** folder → the folders of lib/ it may import; itself always, everything for `cli`. */
const mayImport: Record<string, readonly string[]> = {
  loadtest: ["stats"],
  load: [],
  stats: [],
  pki: [],
  plan: ["loadtest", "load", "stats", "pki"],
  manifest: ["loadtest", "plan", "load", "stats", "pki"],
  runtime: [],
  kube: ["runtime", "loadtest", "plan"],
  report: ["stats", "load", "loadtest"],
  driver: ["runtime", "load", "stats"],
  target: ["runtime", "load", "stats"],
  local: ["runtime", "plan", "loadtest", "load", "stats", "driver"],
  controller: ["runtime", "kube", "plan", "loadtest", "load", "stats", "pki"],
  webhook: ["runtime", "loadtest", "pki"],
  cert: ["runtime", "kube", "manifest", "plan", "loadtest", "pki"],
  fleet: ["runtime", "kube", "cert", "manifest", "loadtest", "plan", "pki"],
};

/** Words that reach the outside world, and so have no place in a pure folder. */
const impure =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bfetch\(|\bBun\.|(?<![\w/])process\.|\bconsole\.|\bset(Timeout|Interval|Immediate)\b|"node:(fs|net|http|child_process|os)/;
/** Words that only lib/runtime may say, so that time, output and the process have one owner. */
const runtimeOnly = /\bDate\.now\b|\bnew Date\(\)|(?<![\w/])process\.|\bconsole\./;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

/** The code of a file without comments, which may say anything. */
function code(file: string): string {
  return readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "");
}

const files = sources(join(root, "lib")).map((file) => {
  const path = relative(join(root, "lib"), file);
  return { path, file, folder: path.split("/")[0] as string, text: code(file) };
});

test("every folder of lib/ has its place in the rule", () => {
  const unknown = files.map((file) => file.folder).filter((folder) => folder !== "cli" && !(folder in mayImport));
  expect(unknown).toEqual([]);
});

test("imports point downwards only", () => {
  const wrong = files.flatMap(({ path, file, folder, text }) => {
    if (folder === "cli") return [];
    const allowed = [folder, ...(mayImport[folder] ?? [])];
    return [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)]
      .map((match) => relative(join(root, "lib"), join(dirname(file), match[1] as string)).split("/")[0] as string)
      .filter((target) => !allowed.includes(target))
      .map((target) => `${path} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("pure folders know no clock, no chance and no outside world", () => {
  const wrong = files.filter(({ folder, text }) => pure.includes(folder) && impure.test(text));
  expect(wrong.map(({ path, text }) => `${path}: ${impure.exec(text)?.[0]}`)).toEqual([]);
});

test("only lib/runtime reads the clock, writes to the console and touches the process", () => {
  const wrong = files.filter(({ folder, text }) => folder !== "runtime" && runtimeOnly.test(text));
  expect(wrong.map(({ path, text }) => `${path}: ${runtimeOnly.exec(text)?.[0]}`)).toEqual([]);
});

test("main.ts is short and holds the only process.exit", () => {
  expect(readFileSync(join(root, "main.ts"), "utf8").split("\n").length).toBeLessThan(40);
  expect(files.filter(({ text }) => text.includes("process.exit(")).map(({ path }) => path)).toEqual([]);
});
