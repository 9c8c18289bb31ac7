// What a LoadTest may ask of its worker Pods. Everything that keeps them harmless is not among it: image, command,
// volumes, token, privileges and the worker's own labels are not the user's to set.
import Type, { type Static } from "typebox";
import { apiGroup } from "./api-group.ts";
import { dnsSubdomain } from "./metadata.ts";
import { oneOf } from "./one-of.ts";
import { Affinity, Toleration, TopologySpreadConstraint } from "./pod-scheduling.ts";
import type { Rule } from "./rule.ts";
import { closed, integerWithin, labelValue, listOf, mapOf, qualifiedName, quantity } from "./schema.ts";

/** Labels by which workers are found, beside those of our group. */
const ownLabels = ["app.kubernetes.io/name", "app.kubernetes.io/component"];
/** Annotations that change the profiles under which a container runs. */
const profileAnnotations = ["container.apparmor.security.beta.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/"];

const keyMaxLength = 317;
const highestId = 2_147_483_647;

function objectName(what: string, description: string) {
  return Type.String({ description, pattern: dnsSubdomain, maxLength: 253, mustBe: `the name of a ${what}` });
}

const ResourceAmounts = (description: string) =>
  closed(
    {
      cpu: Type.Optional(quantity("Cores, such as 500m or 2.")),
      memory: Type.Optional(quantity("Bytes of memory, such as 256Mi.")),
      "ephemeral-storage": Type.Optional(quantity("Bytes of local storage, such as 1Gi.")),
    },
    description,
  );

const SecurityContext = closed(
  {
    runAsUser: Type.Optional(
      integerWithin(1, highestId, "User that workers run as, other than root. Absent means 65532."),
    ),
    runAsGroup: Type.Optional(integerWithin(1, highestId, "Group that workers run as. Absent means 65532.")),
    fsGroup: Type.Optional(integerWithin(1, highestId, "Group that owns the files of volumes.")),
    fsGroupChangePolicy: Type.Optional(
      oneOf(["OnRootMismatch", "Always"], {
        description: "When the files' group is set.",
        mustBe: "OnRootMismatch or Always",
      }),
    ),
    supplementalGroups: Type.Optional(listOf(integerWithin(1, highestId), 16, "Further groups that workers run as.")),
    supplementalGroupsPolicy: Type.Optional(
      oneOf(["Merge", "Strict"], {
        description: "Whether the image's own groups count too.",
        mustBe: "Merge or Strict",
      }),
    ),
    seLinuxOptions: Type.Optional(
      closed(
        {
          level: Type.Optional(
            Type.String({
              description: "Level, such as s0:c123,c456.",
              pattern: "^[a-z0-9:,.-]*$",
              maxLength: 256,
              mustBe: "an SELinux level such as s0:c123,c456",
            }),
          ),
          type: Type.Optional(
            oneOf(["container_t", "container_init_t", "container_kvm_t", "container_engine_t"], {
              description: "Type, one of those for containers.",
              mustBe: "container_t, container_init_t, container_kvm_t or container_engine_t",
            }),
          ),
        },
        "SELinux context of the worker.",
      ),
    ),
  },
  "Users, groups and SELinux context. Workers keep to the Pod Security standard restricted: no root, no privileges, no capabilities, the runtime's seccomp profile.",
);

export const PodTemplate = closed(
  {
    labels: Type.Optional(
      mapOf(labelValue(), 32, `Labels of the Pods, beside their own: ${ownLabels.join(", ")} and ${apiGroup}/…`),
    ),
    annotations: Type.Optional(
      mapOf(
        Type.String({ maxLength: 1024, mustBe: "a text of at most 1024 characters" }),
        32,
        `Annotations of the Pods, beside their own: ${apiGroup}/…`,
      ),
    ),
    resources: Type.Optional(
      closed(
        {
          requests: Type.Optional(ResourceAmounts("What is reserved. Absent means cpu 100m and memory 128Mi.")),
          limits: Type.Optional(
            ResourceAmounts(
              "What may be used at most. Absent means memory 512Mi; with a limit on cpu, a worker is throttled and may be the limit of the test.",
            ),
          ),
        },
        "Resources of each worker. One that is named, in requests or in limits, is as it stands here in both; the others keep their defaults.",
      ),
    ),
    nodeSelector: Type.Optional(mapOf(labelValue(), 16, "Labels that a worker's node must have.")),
    tolerations: Type.Optional(listOf(Toleration, 16, "Taints of nodes that workers bear.")),
    affinity: Type.Optional(Affinity),
    topologySpreadConstraints: Type.Optional(
      listOf(TopologySpreadConstraint, 8, "How workers spread over nodes, zones and other places."),
    ),
    serviceAccountName: Type.Optional(
      objectName(
        "ServiceAccount",
        "ServiceAccount of the Pods, in their namespace. Its token is not mounted: it lends its imagePullSecrets, and its name to policies. Absent means default.",
      ),
    ),
    imagePullSecrets: Type.Optional(
      listOf(
        closed({ name: objectName("Secret", "Name of the Secret.") }, "A Secret in the namespace of the LoadTest."),
        8,
        "Credentials for the registry of the workers' image.",
      ),
    ),
    priorityClassName: Type.Optional(
      objectName("PriorityClass", "PriorityClass of the Pods, other than the cluster's own, which begin with system-."),
    ),
    runtimeClassName: Type.Optional(objectName("RuntimeClass", "RuntimeClass that runs the Pods.")),
    securityContext: Type.Optional(SecurityContext),
    schedulingGates: Type.Optional(
      listOf(
        closed({ name: qualifiedName("Name of the gate.") }, "A gate."),
        8,
        "Gates: the Pods are not scheduled before somebody has removed all of them from each.",
      ),
    ),
  },
  "What the worker Pods are like beyond what the test needs. The first Pods of a new LoadTest show whether the API server will have them; later it is asked in a dry run. A change replaces the Pods.",
);
export type PodTemplate = Static<typeof PodTemplate>;

interface HasPodTemplate {
  podTemplate?: PodTemplate;
}

const list = (texts: readonly string[]) => `[${texts.map((text) => `'${text}'`).join(", ")}]`;
const keys = (map: Record<string, string> | undefined) => Object.keys(map ?? {});
const isOurs = (key: string) => key.startsWith(`${apiGroup}/`);

export const podTemplateRules: readonly Rule<HasPodTemplate>[] = [
  {
    field: "podTemplate.labels",
    at: "podTemplate.labels",
    reads: ["podTemplate"],
    cel: `self.all(key, key.size() <= ${keyMaxLength} && !key.startsWith('${apiGroup}/') && !(key in ${list(ownLabels)}))`,
    mustBe: `without keys of more than ${keyMaxLength} characters, and without the workers' own: ${ownLabels.join(", ")} and ${apiGroup}/…`,
    isBroken: ({ podTemplate }) =>
      keys(podTemplate?.labels).some((key) => isTooLong(key) || isOurs(key) || ownLabels.includes(key)),
  },
  {
    field: "podTemplate.annotations",
    at: "podTemplate.annotations",
    reads: ["podTemplate"],
    cel: `self.all(key, key.size() <= ${keyMaxLength} && !${list([`${apiGroup}/`, ...profileAnnotations])}.exists(prefix, key.startsWith(prefix)))`,
    mustBe: `without keys of more than ${keyMaxLength} characters, without the workers' own, and without those that choose AppArmor or seccomp profiles: ${apiGroup}/…, ${profileAnnotations.map((prefix) => `${prefix}…`).join(", ")}`,
    isBroken: ({ podTemplate }) =>
      keys(podTemplate?.annotations).some(
        (key) => isTooLong(key) || isOurs(key) || profileAnnotations.some((prefix) => key.startsWith(prefix)),
      ),
  },
  {
    field: "podTemplate.priorityClassName",
    at: "podTemplate.priorityClassName",
    reads: ["podTemplate"],
    cel: "!self.startsWith('system-')",
    mustBe: "a PriorityClass other than the cluster's own, which begin with system-",
    isBroken: ({ podTemplate }) => podTemplate?.priorityClassName?.startsWith("system-") === true,
  },
];

function isTooLong(key: string): boolean {
  return [...key].length > keyMaxLength;
}
