import { describe, expect, test } from "bun:test";
import type { WebhookConfiguration } from "../../lib/cert/resources.ts";
import { objectsOf } from "../../lib/fleet/extras.ts";
import { expectedInstallation, foundInstallation, type Traces } from "../../lib/fleet/installation.ts";
import type { AdmissionPolicy, Deployment } from "../../lib/fleet/resources.ts";
import type { ExtensionOptions } from "../../lib/manifest/extension.ts";

/** What is left on a cluster by an installation with these options. */
function tracesOf(...installations: ExtensionOptions[]): Traces {
  const objects = installations.flatMap(objectsOf);
  const ofKind = (kind: RegExp) => objects.filter((object) => kind.test(object.kind));
  return {
    deployments: ofKind(/^Deployment$/) as Deployment[],
    webhooks: ofKind(/WebhookConfiguration$/) as WebhookConfiguration[],
    namespace: ofKind(/^Namespace$/)[0],
    policy: ofKind(/^ValidatingAdmissionPolicy$/)[0] as AdmissionPolicy | undefined,
  };
}

const image = "registry.example/loadtest:1@sha256:00";
const installations: ExtensionOptions[] = [
  { image, replicas: 3, placement: { kind: "cluster" } },
  { image, replicas: 1, placement: { kind: "namespaced", namespace: "team-a" } },
];

describe("foundInstallation()", () => {
  test.each(installations.map((each) => [each.placement.kind, each] as const))(
    "finds what is there: %s",
    (_, options) => {
      expect(foundInstallation(tracesOf(options), {})).toEqual(options);
    },
  );

  test("out of the cluster there are no replicas, but the image of the workers", () => {
    const placement = { kind: "outOfCluster", url: "https://192.0.2.7:8443" } as const;
    const found = foundInstallation(tracesOf({ image, replicas: 2, placement }), {});
    expect(found).toEqual({ image, placement });
  });

  test("a webhook that somebody has sent elsewhere does not take the controller out of the cluster", () => {
    const traces = tracesOf({ image, replicas: 2, placement: { kind: "cluster" } });
    const webhooks = tracesOf({ image, replicas: 2, placement: { kind: "outOfCluster", url: "https://192.0.2.7" } });
    expect(foundInstallation({ ...traces, webhooks: webhooks.webhooks }, {}).placement).toEqual({ kind: "cluster" });
  });

  test("finds nothing where nothing is installed", () => {
    expect(foundInstallation({ deployments: [], webhooks: [], namespace: undefined, policy: undefined }, {})).toEqual(
      {},
    );
  });

  test("of controllers of several namespaces must be told which one is meant", () => {
    const of = (namespace: string): ExtensionOptions => ({
      image,
      replicas: 2,
      placement: { kind: "namespaced", namespace },
    });
    const traces = tracesOf(of("team-a"), of("team-b"));
    expect(() => foundInstallation(traces, {})).toThrow(
      'Cannot tell which controller is meant: there is one in each of the namespaces "team-a", "team-b", must be named',
    );
    const placement = { kind: "namespaced", namespace: "team-b" } as const;
    expect(foundInstallation(traces, { placement }).placement).toEqual(placement);
  });
});

describe("expectedInstallation()", () => {
  test("holds to what is told, else to what is found, else to the defaults", () => {
    const found = { image: "found", replicas: 5 };
    expect(expectedInstallation({ image: "told" }, found)).toEqual({
      image: "told",
      replicas: 5,
      placement: { kind: "cluster" },
    });
  });
});
