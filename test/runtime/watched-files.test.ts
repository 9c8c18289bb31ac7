import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useFiles } from "../../lib/runtime/watched-files.ts";

let folder: string;
let used: string[][];
let refused: string[];
let end: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  used = [];
  refused = [];
  end = () => {};
});

afterEach(() => {
  end();
  rmSync(folder, { recursive: true });
});

function follow(...names: string[]): void {
  const use = (...texts: string[]) => {
    if (texts.includes("bad")) throw new Error(`Cannot use ${texts}`);
    used.push(texts);
  };
  const files = names.map((name) => join(folder, name));
  end = useFiles(files, use, ({ message }) => void refused.push(message), 5);
}

async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5);
}

/** A few more looks at the files. */
const looks = () => Bun.sleep(50);

test("files are used at once, and again only when they have changed", async () => {
  writeFileSync(join(folder, "a"), "1");
  writeFileSync(join(folder, "b"), "x");
  follow("a", "b");
  expect(used).toEqual([["1", "x"]]);
  await looks();
  expect(used.length).toBe(1);
  writeFileSync(join(folder, "new"), "2");
  renameSync(join(folder, "new"), join(folder, "a"));
  await eventually(() => used.length === 2);
  expect(used[1]).toEqual(["2", "x"]);
});

test("a swapped symlink above the file, as the kubelet swaps it, is a change", async () => {
  for (const version of ["1", "2"]) {
    mkdirSync(join(folder, `..${version}`));
    writeFileSync(join(folder, `..${version}`, "a"), version);
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync("..data/a", join(folder, "a"));
  follow("a");
  symlinkSync("..2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  rmSync(join(folder, "..1"), { recursive: true });
  await eventually(() => used.length === 2);
  expect(used).toEqual([["1"], ["2"]]);
  expect(refused).toEqual([]);
});

test("what cannot be used or read is told once, and what comes after is used", async () => {
  writeFileSync(join(folder, "a"), "1");
  follow("a");
  writeFileSync(join(folder, "a"), "bad");
  await eventually(() => refused.length === 1);
  await looks();
  rmSync(join(folder, "a"));
  await eventually(() => refused.length === 2);
  await looks();
  writeFileSync(join(folder, "a"), "1");
  await eventually(() => used.length === 2);
  expect(refused).toEqual(["Cannot use bad", `Cannot read "${join(folder, "a")}": no such file`]);
});

test("what cannot be used at the start is thrown", () => {
  expect(() => follow("a")).toThrow("no such file");
  writeFileSync(join(folder, "a"), "bad");
  expect(() => follow("a")).toThrow("Cannot use bad");
});
