import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTestKind } from "../../lib/loadtest/kind.ts";
import { controllerObjects } from "../../lib/manifest/controller.ts";
import { renderManifests } from "../../lib/manifest/render.ts";
import { sampleLoadTest } from "../../lib/manifest/sample.ts";

const folder = join(import.meta.dir, "../../manifests");

test.each(Object.entries(renderManifests()))("manifests/%s is what the code renders", (path, text) => {
  expect(readFileSync(join(folder, path), "utf8")).toBe(text);
});

test("manifests/ holds no YAML and no schema that no code renders", () => {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(yaml|json)$/.test(name),
  );
  expect(found.sort()).toEqual(Object.keys(renderManifests()).sort());
});

test("the sample is well-formed", () => {
  expect(loadTestKind.judge(sampleLoadTest).errors).toEqual([]);
});

test("no rendered right holds a wildcard", () => {
  expect(JSON.stringify(controllerObjects({ image: "x" }))).not.toContain('"*"');
});
