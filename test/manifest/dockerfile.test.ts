// manifests/Dockerfile without an engine: its facts are those of the image that scripts/image makes, what it copies is
// there, and the commands of its build, carried out here, come to the same files.
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "dockerfile-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Instruction {
  word: string;
  rest: string;
}

/** Comments are lines of their own, and no instruction goes over several. */
function readInstructions(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [, word = "", rest = ""] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    return { word, rest };
  });
}

const all = readInstructions(readFileSync(join(root, "manifests/Dockerfile"), "utf8"));
const lastFrom = all.findLastIndex(({ word }) => word === "FROM");
const build = all.slice(0, lastFrom);
const final = all.slice(lastFrom);
const of = (stage: readonly Instruction[], word: string) =>
  stage.filter((each) => each.word === word).map(({ rest }) => rest);

/** Machines without what an image of a base has. */
const isOfBase = (command: string) => /^(apt-get|npm) /.test(command);

function run(command: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command[0] as string, command.slice(1), { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout;
}

/** What scripts/image makes of the binary here, unpacked: its configuration, and its layer in `layer`. */
function unpackImage(): { config: { User: string; Entrypoint: string[]; WorkingDir: string } } {
  const archive = join(folder, "image.tar");
  run([join(root, "scripts/image"), "--out", archive], root);
  const layout = join(folder, "layout");
  mkdirSync(layout);
  mkdirSync(join(folder, "layer"));
  run(["tar", "-xf", archive, "-C", layout], folder);
  const blob = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));
  const manifest = json(blob(json(join(layout, "index.json")).manifests[0].digest));
  expect(manifest.layers).toHaveLength(1);
  run(["tar", "-xpf", blob(manifest.layers[0].digest), "-C", join(folder, "layer")], folder);
  return json(blob(manifest.config.digest));
}

/** Path → mode, and of files the size. */
function treeOf(top: string): Record<string, string> {
  const paths = readdirSync(top, { recursive: true, encoding: "utf8" }).toSorted();
  return Object.fromEntries(
    paths.map((path) => {
      const stat = lstatSync(join(top, path));
      return [path, stat.isFile() ? `${stat.mode.toString(8)}, ${stat.size} bytes` : stat.mode.toString(8)];
    }),
  );
}

test("every line is an instruction that Dockerfiles have", () => {
  for (const { word } of all) expect(["ARG", "FROM", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT"]).toContain(word);
});

test("the base of the build is an argument, so that it can be a digest, and the image itself has none", () => {
  expect(all[0]?.word).toBe("ARG");
  const [name, image] = (all[0]?.rest ?? "").split("=") as [string, string];
  expect(image).toMatch(/^[a-z]+:\d[\w.-]*$/);
  expect(of(build, "FROM")).toEqual([`\${${name}} AS build`]);
  expect(of(final, "FROM")).toEqual(["scratch"]);
});

test("what is copied is there, and all that the build needs is copied", () => {
  const sources = of(build, "COPY").flatMap((rest) => rest.split(" ").slice(0, -1));
  for (const source of sources) expect([source, existsSync(join(root, source))]).toEqual([source, true]);
  expect(of(build, "COPY").find((rest) => rest.startsWith("package.json"))).toContain("package-lock.json .npmrc");
});

test("user, entry point and folder are those of scripts/image, and so are the files that its commands come to", () => {
  const { config } = unpackImage();
  expect(of(final, "USER")).toEqual([config.User]);
  expect(of(final, "ENTRYPOINT")).toEqual([JSON.stringify(config.Entrypoint)]);
  expect(of(final, "WORKDIR")).toEqual([config.WorkingDir]);
  expect(of(final, "RUN")).toEqual([]);

  const workdir = of(build, "WORKDIR").at(-1) as string;
  const [copied] = of(final, "COPY");
  expect(copied).toStartWith(`--from=build ${workdir}/`);
  const [, source, target] = /--from=build (\S+) (\S+)$/.exec(copied ?? "") ?? [];
  expect(target).toBe("/");

  const work = join(folder, "work");
  mkdirSync(work);
  symlinkSync(join(root, "node_modules"), join(work, "node_modules"));
  for (const { word, rest } of build) {
    if (word === "COPY") copyInto(work, rest.split(" "));
    if (word === "RUN" && !isOfBase(rest)) run(["/bin/sh", "-c", rest], work);
  }
  const made = join(work, (source as string).slice(workdir.length + 1));
  expect(treeOf(made)).toEqual(treeOf(join(folder, "layer")));
  expect(run([join(made, "loadtest"), "version"], work)).toMatch(/^loadtest \d/);
}, 120_000);

/** As an engine does: a folder's content, files into a folder that ends in a slash. */
function copyInto(work: string, words: readonly string[]): void {
  const target = words.at(-1) as string;
  for (const source of words.slice(0, -1)) {
    const to = join(work, target.endsWith("/") ? join(target, source.split("/").at(-1) as string) : target);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(root, source), to, { recursive: true });
  }
}
