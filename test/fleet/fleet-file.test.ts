import { describe, expect, test } from "bun:test";
import { parseFleetFile } from "../../lib/fleet/fleet-file.ts";
import { formatFieldError } from "../../lib/loadtest/field-error.ts";

const loadTest = `
apiVersion: beta.kuar.com/v1
kind: LoadTest
metadata: {name: checkout, namespace: shop}
spec: {service: checkout, scheme: http, requestsPerSecond: 10, duration: 10s}
`;
const canary = `
apiVersion: beta.kuar.com/v1
kind: Canary
metadata: {name: checkout, namespace: shop}
spec: {backends: [{service: checkout, percent: 100}]}
`;
const files: Record<string, string> = {
  "tests.yaml": `${loadTest}---${canary}`,
  "more.yaml": loadTest.replace("checkout", "other"),
  "service.yaml": "{apiVersion: v1, kind: Service, metadata: {name: x}}",
  "homeless.yaml": loadTest.replace(", namespace: shop", ""),
  "broken.yaml": "a: [",
  "bad.yaml": loadTest.replace("requestsPerSecond: 10", "requestsPerSecond: 0"),
};

async function parse(text: string) {
  return parseFleetFile(text, async (path) => {
    const found = files[path];
    if (found === undefined) throw new Error(`Cannot read "${path}": no such file`);
    return found;
  });
}

async function errorsOf(text: string): Promise<string[]> {
  const parsed = await parse(text);
  return "errors" in parsed ? parsed.errors.map(formatFieldError) : [];
}

describe("parseFleetFile()", () => {
  test("gives each cluster what is common, and what is its own", async () => {
    const parsed = await parse(`
image: registry.example/loadtest:1
replicas: 3
outOfCluster: https://192.0.2.7:8443
objects: [tests.yaml, more.yaml]
clusters:
  west: {}
  east: {inCluster: true, replicas: 1, image: "registry.example/loadtest:2"}
  lab: {namespaced: team-a, objects: []}
`);
    const clusters = "fleet" in parsed ? [...parsed.fleet.clusters] : [];
    const summary = clusters.map(([context, { extension, objects }]) => [
      context,
      extension,
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ]);
    const image = "registry.example/loadtest:1";
    const objects = ["Canary checkout", "LoadTest checkout", "LoadTest other"];
    const placement = { kind: "outOfCluster", url: "https://192.0.2.7:8443" };
    expect(summary as unknown[]).toEqual([
      ["west", { image, replicas: 3, placement }, objects],
      ["east", { image: "registry.example/loadtest:2", replicas: 1, placement: { kind: "cluster" } }, objects],
      ["lab", { image, replicas: 3, placement: { kind: "namespaced", namespace: "team-a" } }, []],
    ]);
  });

  test.each([
    ["clusters: {west: {}}", ["clusters.west.image: is missing, must be given here, or for all clusters"]],
    [
      "image: a",
      ["clusters: is missing, must be a map with an entry for each context, such as {west: {}, east: {replicas: 3}}"],
    ],
    [
      "{image: a, clusters: {west: {replica: 2}}}",
      [expect.stringContaining("clusters.west.replica: 2, must be one of the fields image, replicas")],
    ],
    ["{image: a, clusters: {west: {replicas: 0}}}", ["clusters.west.replicas: 0, must be an integer from 1 to 100"]],
    [
      "{image: a, clusters: {west: {inCluster: true, namespaced: b}}}",
      ['clusters.west.namespaced: "b", must be absent: the controller is in one place'],
    ],
    [
      '{image: a, outOfCluster: "http://x", clusters: {west: {}}}',
      ['outOfCluster: "http://x", must be https, a host and maybe a port, such as https://192.0.2.7:8443'],
    ],
    ["a: [", [expect.stringContaining("must be well-formed YAML")]],
    ["a: 1\n---\nb: 2", ['document: "2 documents", must be one document']],
    [
      "{image: a, clusters: {west: {objects: [service.yaml]}}}",
      ['clusters.west.objects[0] service.yaml: document 1.kind: "Service", must be LoadTest or Canary'],
    ],
    [
      "{image: a, objects: [homeless.yaml], clusters: {west: {}}}",
      [expect.stringContaining("metadata.namespace: is missing, must be given")],
    ],
    [
      "{image: a, objects: [bad.yaml, broken.yaml], clusters: {west: {}}}",
      [
        expect.stringContaining("objects[0] bad.yaml: document 1.spec.requestsPerSecond: 0, must be"),
        expect.stringContaining("objects[1] broken.yaml: document 1: "),
      ],
    ],
    [
      "{image: a, objects: [more.yaml, more.yaml], clusters: {west: {}}}",
      ['objects[1] more.yaml: document 1: "LoadTest shop/other", must be there once'],
    ],
  ])("refuses %s", async (text, errors) => {
    expect(await errorsOf(text)).toEqual(errors);
  });

  test("tells of a file that cannot be read", async () => {
    await expect(parse("{image: a, objects: [nowhere.yaml], clusters: {west: {}}}")).rejects.toThrow(
      'Cannot read "nowhere.yaml": no such file',
    );
  });
});
