// What somebody does to one cluster of several and not to the others: each a kubectl command, and where it must be found.

export interface Drift {
  /** `kubectl` arguments, and what it reads. */
  command: readonly string[];
  input?: string;
  object: string;
  field: string;
}

const validator = "validatingwebhookconfiguration/kuar-validator";
const defaulter = "mutatingwebhookconfiguration/kuar-defaulter";
const system = ["-n", "loadtest-system"];
const account = "--serviceaccount=loadtest-system:loadtest";
const schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

function json(target: string, op: "add" | "replace" | "remove", path: string, value?: unknown): string[] {
  const patch = [{ op, path, ...(value === undefined ? {} : { value }) }];
  const [kind = "", name = ""] = target.split("/");
  return ["patch", kind, name, "--type=json", "-p", JSON.stringify(patch)];
}

function inSystem(command: readonly string[]): string[] {
  return [...command, ...system];
}

const kind = (plural: string) => `CustomResourceDefinition ${plural}.beta.kuar.com`;
const validating = "ValidatingWebhookConfiguration kuar-validator";
const mutating = "MutatingWebhookConfiguration kuar-defaulter";

/** To objects that stay; what an apply undoes, and what it leaves as it is because somebody else has added it. */
export const changes: readonly Drift[] = [
  {
    command: json("crd/loadtests.beta.kuar.com", "replace", `${schema}/properties/requestsPerSecond/maximum`, 7),
    object: kind("loadtests"),
    field: "spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.requestsPerSecond.maximum",
  },
  {
    command: json("crd/loadtestresults.beta.kuar.com", "remove", "/spec/versions/0/additionalPrinterColumns/0"),
    object: kind("loadtestresults"),
    field: "spec.versions[v1].additionalPrinterColumns[Complete]",
  },
  {
    command: json("crd/canaries.beta.kuar.com", "add", "/spec/names/shortNames", ["cny"]),
    object: kind("canaries"),
    field: "spec.names.shortNames",
  },
  {
    command: json(validator, "replace", "/webhooks/0/failurePolicy", "Ignore"),
    object: validating,
    field: "webhooks[validator.kuar.com].failurePolicy",
  },
  {
    command: json(validator, "replace", "/webhooks/0/timeoutSeconds", 30),
    object: validating,
    field: "webhooks[validator.kuar.com].timeoutSeconds",
  },
  {
    command: json(validator, "replace", "/webhooks/0/namespaceSelector", { matchLabels: { judged: "yes" } }),
    object: validating,
    field: "webhooks[validator.kuar.com].namespaceSelector.matchLabels",
  },
  {
    command: json(validator, "replace", "/webhooks/0/rules/0/operations", ["CREATE"]),
    object: validating,
    field: "webhooks[validator.kuar.com].rules[canaries,loadtests.beta.kuar.com].operations",
  },
  {
    command: json(defaulter, "replace", "/webhooks/0/objectSelector", { matchLabels: { judged: "yes" } }),
    object: mutating,
    field: "webhooks[defaulter.kuar.com].objectSelector.matchLabels",
  },
  {
    command: json(defaulter, "remove", "/webhooks/0/matchConditions"),
    object: mutating,
    field: "webhooks[defaulter.kuar.com].matchConditions",
  },
  {
    command: json(defaulter, "replace", "/webhooks/0/clientConfig/url", "https://127.0.0.1:1/mutate"),
    object: mutating,
    field: "webhooks[defaulter.kuar.com].clientConfig.url",
  },
  {
    command: json(defaulter, "add", "/webhooks/-", {
      name: "extra.example.com",
      clientConfig: { url: "https://127.0.0.1:1/" },
      failurePolicy: "Ignore",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      rules: [{ apiGroups: ["example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] }],
    }),
    object: mutating,
    field: "webhooks[extra.example.com]",
  },
  {
    command: json("clusterrole/loadtest", "add", "/rules/-", { apiGroups: [""], resources: ["secrets"], verbs: ["*"] }),
    object: "ClusterRole loadtest",
    field: "rules[secrets]",
  },
  {
    command: json("clusterrole/loadtest", "replace", "/rules/4/verbs", ["get"]),
    object: "ClusterRole loadtest",
    field: "rules[pods].verbs",
  },
  {
    command: inSystem(json("role/loadtest", "remove", "/rules/2")),
    object: "Role loadtest-system/loadtest",
    field: "rules[leases.coordination.k8s.io loadtest-controller]",
  },
  {
    command: json("clusterrolebinding/loadtest", "add", "/subjects/-", {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "User",
      name: "mallory",
    }),
    object: "ClusterRoleBinding loadtest",
    field: "subjects[User/mallory]",
  },
  {
    command: inSystem(json("rolebinding/loadtest", "remove", "/subjects/0")),
    object: "RoleBinding loadtest-system/loadtest",
    field: "subjects",
  },
  {
    command: ["label", "namespace", "loadtest-system", "pod-security.kubernetes.io/enforce=privileged", "--overwrite"],
    object: "Namespace loadtest-system",
    field: "metadata.labels[pod-security.kubernetes.io/enforce]",
  },
  {
    command: ["label", "namespace", "loadtest-system", "pod-security.kubernetes.io/warn=baseline"],
    object: "Namespace loadtest-system",
    field: "metadata.labels[pod-security.kubernetes.io/warn]",
  },
  {
    command: json(
      "validatingadmissionpolicy/loadtest-worker-pods",
      "replace",
      "/spec/validations/1/expression",
      "true",
    ),
    object: "ValidatingAdmissionPolicy loadtest-worker-pods",
    field:
      "spec.validations[the containers must be workers, without a command or an environment of their own].expression",
  },
  {
    command: json("validatingadmissionpolicy/loadtest-worker-pods", "replace", "/spec/failurePolicy", "Ignore"),
    object: "ValidatingAdmissionPolicy loadtest-worker-pods",
    field: "spec.failurePolicy",
  },
  {
    command: json("validatingadmissionpolicybinding/loadtest-worker-pods", "replace", "/spec/validationActions", [
      "Audit",
    ]),
    object: "ValidatingAdmissionPolicyBinding loadtest-worker-pods",
    field: "spec.validationActions",
  },
  {
    command: inSystem(json("service/loadtest", "replace", "/spec/ports/0/targetPort", 1)),
    object: "Service loadtest-system/loadtest",
    field: "spec.ports[admission].targetPort",
  },
  {
    command: inSystem(json("service/loadtest", "add", "/spec/selector/stray", "yes")),
    object: "Service loadtest-system/loadtest",
    field: "spec.selector.stray",
  },
  {
    command: inSystem(json("serviceaccount/loadtest", "add", "/imagePullSecrets", [{ name: "stray" }])),
    object: "ServiceAccount loadtest-system/loadtest",
    field: "imagePullSecrets",
  },
  {
    command: [
      "patch",
      "canary",
      "split",
      "-n",
      "default",
      "--type=merge",
      "-p",
      '{"spec":{"backends":[{"service":"b","percent":100}]}}',
    ],
    object: "Canary default/split",
    field: "spec.backends",
  },
];

/** To which objects there are: some are gone, and some are there that nobody has installed. */
export const comingsAndGoings: readonly Drift[] = [
  {
    command: ["delete", "validatingadmissionpolicybinding", "loadtest-worker-pods"],
    object: "ValidatingAdmissionPolicyBinding loadtest-worker-pods",
    field: "",
  },
  { command: ["delete", "mutatingwebhookconfiguration", "kuar-defaulter"], object: mutating, field: "" },
  {
    command: ["delete", "secret", "loadtest-webhook-ca", ...system],
    object: "Secret loadtest-system/loadtest-webhook-ca",
    field: "",
  },
  {
    command: ["delete", "lease", "loadtest-controller", ...system],
    object: "Lease loadtest-system/loadtest-controller",
    field: "",
  },
  { command: ["delete", "canary", "split", "-n", "default"], object: "Canary default/split", field: "" },
  {
    command: ["create", "clusterrolebinding", "sneaky", "--clusterrole=cluster-admin", account],
    object: "ClusterRoleBinding sneaky",
    field: "",
  },
  {
    command: ["create", "rolebinding", "sneaky", "-n", "default", "--clusterrole=edit", account],
    object: "RoleBinding default/sneaky",
    field: "",
  },
  {
    command: ["apply", "-f", "-"],
    input: JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "loadtest", namespace: "loadtest-system" },
      spec: {
        selector: { matchLabels: { app: "x" } },
        template: { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "x", image: "x" }] } },
      },
    }),
    object: "Deployment loadtest-system/loadtest",
    field: "",
  },
];
