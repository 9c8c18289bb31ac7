import { describe, expect, test } from "bun:test";
import { parseAllDocuments } from "yaml";
import { extensionSteps, type Placement } from "../../lib/manifest/extension.ts";
import { kustomizeBase } from "../../lib/manifest/kustomize.ts";
import { renderManifests } from "../../lib/manifest/render.ts";
import { withFailurePolicy } from "../../lib/manifest/webhooks.ts";
import { renderYaml } from "../../lib/manifest/yaml.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";

const image = "localhost/loadtest:dev";
const cluster: Placement = { kind: "cluster" };
const outOfCluster: Placement = { kind: "outOfCluster", url: "https://192.0.2.7:8443" };
const namespaced: Placement = { kind: "namespaced", namespace: "team" };
const steps = (placement: Placement, replicas = 2) => extensionSteps({ image, replicas, placement });
const objects = (placement: Placement) => steps(placement).flatMap((step) => step.objects);
const called = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`;
const documents = (text = ""): KubeObject[] => parseAllDocuments(text).map((document) => document.toJS());

describe("extensionSteps()", () => {
  const names: [Placement, string[]][] = [
    [cluster, ["namespace", "kinds", "rights", "belongings", "controller", "webhooks"]],
    [outOfCluster, ["namespace", "kinds", "rights", "belongings", "webhooks"]],
    [namespaced, ["kinds", "rights", "belongings", "controller"]],
  ];
  test.each(names)("of %o has these steps, none of them empty", (placement, expected) => {
    expect(steps(placement).map(({ name }) => name)).toEqual(expected as never);
    expect(steps(placement).filter((step) => step.objects.length === 0)).toEqual([]);
  });

  test("of the cluster holds what stands in manifests/, object by object", () => {
    const manifests = renderManifests();
    const files = ["loadtest-resource", "loadtest-result-resource", "canary-resource", "controller"];
    const webhooks = ["validating-controller", "mutating-controller"];
    const rendered = [...files, ...webhooks].flatMap((name) => documents(manifests[`${name}.yaml`]));
    const byName = (list: readonly KubeObject[]) => new Map(list.map((object) => [called(object), object]));
    expect(byName(documents(renderYaml(objects(cluster))))).toEqual(byName(rendered));
  });

  test("of a namespace differs from its manifest in nothing but the namespace", () => {
    const own = objects(namespaced).filter(({ kind }) => kind !== "CustomResourceDefinition");
    expect(own.every(({ metadata }) => metadata.namespace === "team")).toBe(true);
    const without = own.map(({ metadata: { namespace: _, ...metadata }, ...object }) => ({ ...object, metadata }));
    expect(documents(renderYaml(without))).toEqual(documents(renderManifests()["controller-namespaced.yaml"]));
  });

  test("elsewhere there is no Deployment, and the webhooks are found by their URL", () => {
    expect(objects(outOfCluster).map(({ kind }) => kind)).not.toContain("Deployment");
    const urls = objects(outOfCluster).flatMap((object) =>
      ((object as { webhooks?: { clientConfig: object }[] }).webhooks ?? []).map(({ clientConfig }) => clientConfig),
    );
    expect(urls).toEqual([{ url: "https://192.0.2.7:8443/mutate" }, { url: "https://192.0.2.7:8443/validate" }]);
  });

  test("each object is there once, and nothing is in a namespace before that is made", () => {
    for (const placement of [cluster, outOfCluster, namespaced]) {
      const all = objects(placement).map(called);
      expect(new Set(all).size).toBe(all.length);
    }
    expect(objects(cluster)[0]).toMatchObject({ kind: "Namespace", metadata: { name: "loadtest-system" } });
  });

  test("image and replicas are those that are asked for, wherever they stand", () => {
    const text = renderYaml(
      extensionSteps({ image: "a/b:1", replicas: 3, placement: cluster }).flatMap((step) => step.objects),
    );
    expect(text).toContain("replicas: 3");
    expect(text).not.toContain(image);
    expect(text.match(/a\/b:1/g)).toHaveLength(4); // container, LOADTEST_IMAGE, the policy's expression and its words
  });
});

test("a registration that fails open is the same but for that", () => {
  const [webhook] = objects(cluster).filter(({ kind }) => kind === "ValidatingWebhookConfiguration") as [KubeObject];
  const open = withFailurePolicy(webhook, "Ignore");
  expect(JSON.stringify(webhook)).toContain('"failurePolicy":"Fail"');
  expect(JSON.stringify(open)).toContain('"failurePolicy":"Ignore"');
  expect(withFailurePolicy(open, "Fail")).toEqual(webhook);
});

test("the kustomize base holds every object once, in files that it lists in order", () => {
  const { "kustomization.yaml": base, ...files } = kustomizeBase({ image, replicas: 2, placement: cluster });
  const [kustomization] = documents(base) as [KubeObject & { resources: string[] }];
  expect(kustomization.kind).toBe("Kustomization");
  expect(kustomization.resources).toEqual(Object.keys(files));
  expect(kustomization.resources.flatMap((name) => documents(files[name])).map(called)).toEqual(
    objects(cluster).map(called),
  );
});
