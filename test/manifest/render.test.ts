import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { loadTestKind } from "../../lib/loadtest/kind.ts";
import { allOf, namespacedControllerParts } from "../../lib/manifest/controller.ts";
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
  const yaml = Object.entries(renderManifests()).filter(([path]) => path.endsWith(".yaml"));
  const roles = yaml.flatMap(([, text]) =>
    parseAllDocuments(text)
      .map((document) => document.toJS())
      .filter(({ kind }) => kind === "Role" || kind === "ClusterRole"),
  );
  expect(roles).toHaveLength(3);
  expect(JSON.stringify(roles)).not.toContain("*");
});

test("what runs the controller of one namespace is in that namespace, whichever it is", () => {
  const kinds = allOf(namespacedControllerParts({ image: "x" })).map(({ kind }) => kind);
  expect(kinds).toEqual(["ServiceAccount", "Role", "RoleBinding", "Lease", "Deployment"]);
  expect(renderManifests()["controller-namespaced.yaml"]).not.toMatch(/^ *namespace:/m);
});
