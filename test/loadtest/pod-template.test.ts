import { expect, test } from "bun:test";
import { formatFieldError } from "../../lib/loadtest/field-error.ts";
import { loadTestKind } from "../../lib/loadtest/kind.ts";

function judge(spec: object) {
  return loadTestKind.judge({
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name: "lt" },
    spec: { service: "web", scheme: "https", requestsPerSecond: 10, duration: "5s", ...spec },
  });
}
const errors = (podTemplate: object) => judge({ podTemplate }).errors.map(formatFieldError);

test("a template may say all that the design allows", () => {
  const term = { labelSelector: { matchLabels: { app: "web" } }, topologyKey: "kubernetes.io/hostname" };
  const everything = {
    labels: { team: "web", "example.com/cost": "" },
    annotations: { "example.com/note": "anything, really" },
    resources: { requests: { cpu: 1, memory: "256Mi" }, limits: { "ephemeral-storage": "1Gi" } },
    nodeSelector: { disktype: "ssd" },
    tolerations: [{ operator: "Exists" }, { key: "a", value: "b", effect: "NoExecute", tolerationSeconds: 5 }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "cores", operator: "Gt", values: ["3"] }] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
      },
    },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }],
    serviceAccountName: "puller",
    imagePullSecrets: [{ name: "registry" }],
    priorityClassName: "low",
    runtimeClassName: "gvisor",
    securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, supplementalGroups: [1, 2] },
    schedulingGates: [{ name: "example.com/wait" }],
  };
  expect(errors(everything)).toEqual([]);
});

test.each<[template: object, words: string]>([
  [{ hostNetwork: true }, "spec.podTemplate.hostNetwork: true, must be one of the fields labels, annotations"],
  [{ securityContext: { privileged: true } }, "spec.podTemplate.securityContext.privileged"],
  [{ securityContext: { runAsNonRoot: false } }, "spec.podTemplate.securityContext.runAsNonRoot"],
  [{ securityContext: { runAsUser: 0 } }, "runAsUser: 0, must be an integer from 1 to 2147483647"],
  [{ securityContext: { runAsGroup: 0 } }, "runAsGroup: 0"],
  [{ securityContext: { supplementalGroups: [0] } }, "supplementalGroups[0]: 0"],
  [{ securityContext: { seLinuxOptions: { type: "spc_t" } } }, "seLinuxOptions.type"],
  [{ labels: { "beta.kuar.com/worker": "7" } }, "spec.podTemplate.labels"],
  [{ labels: { "app.kubernetes.io/component": "controller" } }, "spec.podTemplate.labels"],
  [{ labels: { a: "b c" } }, "spec.podTemplate.labels.a"],
  [{ labels: { ["é".repeat(318)]: "" } }, "spec.podTemplate.labels"],
  [{ annotations: { "beta.kuar.com/plan": "{}" } }, "spec.podTemplate.annotations"],
  [{ annotations: { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" } }, "spec.podTemplate.annotations"],
  [{ annotations: { "container.apparmor.security.beta.kubernetes.io/worker": "unconfined" } }, "AppArmor"],
  [{ priorityClassName: "system-cluster-critical" }, "spec.podTemplate.priorityClassName"],
  [{ resources: { limits: { cpu: "much" } } }, 'limits.cpu: "much", must be an amount such as 500m, 2 or 256Mi'],
  [{ resources: { limits: { "nvidia.com/gpu": 1 } } }, "nvidia.com/gpu"],
  [{ schedulingGates: [{ name: "a b" }] }, "spec.podTemplate.schedulingGates[0].name"],
  [{ imagePullSecrets: [{}] }, "spec.podTemplate.imagePullSecrets[0].name: is missing"],
])("the template %j is refused in words that name its field", (template, words) => {
  expect(errors(template).join("\n")).toContain(words);
});

test("null in a map is as good as absent", () => {
  expect(errors({ labels: { a: null }, affinity: null, resources: { limits: { cpu: null } } })).toEqual([]);
  expect(errors({ tolerations: [null] })).toHaveLength(1);
});

const secret = { secretKeyRef: { name: "db", key: "token" } };
const values = (headers: object[], more: object = {}) => judge({ requests: [{ path: "/", headers, ...more }] });

test.each<[headers: object[], more: object, words: string]>([
  [[{ name: "A" }], {}, "either value or valueFrom"],
  [[{ name: "A", value: "b", valueFrom: secret }], {}, "either value or valueFrom"],
  [[{ name: "A", valueFrom: {} }], {}, "exactly one of configMapKeyRef and secretKeyRef"],
  [[], { bodyFrom: { ...secret, configMapKeyRef: secret.secretKeyRef } }, "exactly one of configMapKeyRef"],
  [[], { body: "a", bodyFrom: secret }, "without body beside bodyFrom"],
  [Array(32).fill({ name: "A", valueFrom: secret }), { bodyFrom: secret }, "at most 32 of valueFrom and bodyFrom"],
  [[{ name: "A", valueFrom: { secretKeyRef: { name: "db", key: ".." } } }], {}, "valueFrom.secretKeyRef.key"],
])("headers %j with %j are refused in words that say why", (headers, more, words) => {
  expect(values(headers, more).errors.map(formatFieldError).join("\n")).toContain(words);
});

test("a header from a Secret is no secret in plain text, unless it goes over http", () => {
  const headers = [{ name: "Authorization", valueFrom: secret }];
  expect(values(headers).errors).toEqual([]);
  expect(values(headers).warnings).toEqual([]);
  expect(judge({ scheme: "http", requests: [{ path: "/", headers }] }).warnings.join()).toContain(
    "since scheme is http",
  );
  expect(values([{ name: "Authorization", value: "b" }]).warnings.join()).toContain("in plain text, for everybody");
});
