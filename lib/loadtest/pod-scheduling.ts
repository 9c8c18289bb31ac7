// Where worker Pods may and should run: the fields of a Pod that say so, as Kubernetes spells them
// (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/).
import Type from "typebox";
import { dnsLabel } from "./metadata.ts";
import { oneOf } from "./one-of.ts";
import { closed, integerWithin, labelValue, listOf, mapOf, qualifiedName } from "./schema.ts";

const operators = "In, NotIn, Exists or DoesNotExist";
const weight = () => integerWithin(1, 100, "How much a node that fits is preferred, from 1 to 100.");

const LabelSelector = (whose: string) =>
  closed(
    {
      matchLabels: Type.Optional(mapOf(labelValue(), 16, "Labels that must all be there with these values.")),
      matchExpressions: Type.Optional(
        listOf(
          closed(
            {
              key: qualifiedName("Key of the label."),
              operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist"], {
                description: `How the label relates to the values: ${operators}.`,
                mustBe: operators,
              }),
              values: Type.Optional(listOf(labelValue(), 32, "With In and NotIn.")),
            },
            "A requirement on a label.",
          ),
          16,
          "Requirements that must all be met.",
        ),
      ),
    },
    `Which ${whose} count.`,
  );

const nodeOperators = `${operators.replace(" or ", ", ")}, Gt or Lt`;
const NodeRequirement = closed(
  {
    key: qualifiedName("Key of the node's label, or its field metadata.name."),
    operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], {
      description: `How the label relates to the values: ${nodeOperators}.`,
      mustBe: nodeOperators,
    }),
    values: Type.Optional(
      listOf(
        Type.String({ maxLength: 253, mustBe: "a text of at most 253 characters" }),
        32,
        "With In and NotIn; with Gt and Lt a single integer.",
      ),
    ),
  },
  "A requirement on a node.",
);

const NodeTerm = (description: string) =>
  closed(
    {
      matchExpressions: Type.Optional(listOf(NodeRequirement, 16, "Requirements on labels that must all be met.")),
      matchFields: Type.Optional(listOf(NodeRequirement, 16, "Requirements on fields that must all be met.")),
    },
    description,
  );

const topologyKey = () =>
  qualifiedName("Label of nodes whose value makes them one place, such as kubernetes.io/hostname.");
const labelKeys = (description: string) => listOf(qualifiedName("Key of a label."), 16, description);

const PodTerm = (description: string) =>
  closed(
    {
      labelSelector: Type.Optional(LabelSelector("Pods")),
      topologyKey: topologyKey(),
      namespaces: Type.Optional(
        listOf(
          Type.String({ pattern: dnsLabel, maxLength: 63, mustBe: "the name of a namespace" }),
          16,
          "Namespaces of the Pods. Absent means that of the LoadTest.",
        ),
      ),
      namespaceSelector: Type.Optional(LabelSelector("namespaces")),
      matchLabelKeys: Type.Optional(labelKeys("Only Pods with the worker's own values of these labels count.")),
      mismatchLabelKeys: Type.Optional(labelKeys("Only Pods with other values of these labels count.")),
    },
    description,
  );

const PodAffinity = (description: string) =>
  closed(
    {
      requiredDuringSchedulingIgnoredDuringExecution: Type.Optional(
        listOf(PodTerm("Pods, and how near they are."), 16, "What must be so."),
      ),
      preferredDuringSchedulingIgnoredDuringExecution: Type.Optional(
        listOf(
          closed({ weight: weight(), podAffinityTerm: PodTerm("Pods, and how near they are.") }, "A preference."),
          16,
          "What is better so.",
        ),
      ),
    },
    description,
  );

export const Affinity = closed(
  {
    nodeAffinity: Type.Optional(
      closed(
        {
          requiredDuringSchedulingIgnoredDuringExecution: Type.Optional(
            closed(
              {
                nodeSelectorTerms: listOf(
                  NodeTerm("Requirements on a node."),
                  16,
                  "Terms of which one must be met.",
                  1,
                ),
              },
              "What must be so.",
            ),
          ),
          preferredDuringSchedulingIgnoredDuringExecution: Type.Optional(
            listOf(
              closed({ weight: weight(), preference: NodeTerm("Requirements on a node.") }, "A preference."),
              16,
              "What is better so.",
            ),
          ),
        },
        "Nodes that workers are drawn to.",
      ),
    ),
    podAffinity: Type.Optional(PodAffinity("Pods that workers are drawn to.")),
    podAntiAffinity: Type.Optional(PodAffinity("Pods that workers keep away from.")),
  },
  "Rules on nodes and on other Pods that draw workers near or keep them away.",
);

const effects = "NoSchedule, PreferNoSchedule or NoExecute";
export const Toleration = closed(
  {
    key: Type.Optional(qualifiedName("Key of the taint. Absent, with Exists, means every taint.")),
    operator: Type.Optional(
      oneOf(["Equal", "Exists"], {
        description: "Whether the taint's value must be equal. Absent means Equal.",
        mustBe: "Equal or Exists",
      }),
    ),
    value: Type.Optional(labelValue("Value of the taint, with Equal.")),
    effect: Type.Optional(
      oneOf(["NoSchedule", "PreferNoSchedule", "NoExecute"], {
        description: `Effect of the taint: ${effects}. Absent means any.`,
        mustBe: effects,
      }),
    ),
    tolerationSeconds: Type.Optional(
      integerWithin(0, 604_800, "How long a taint that evicts is borne. Absent means for good."),
    ),
  },
  "A taint of nodes that workers bear.",
);

const policy = (description: string) =>
  Type.Optional(oneOf(["Honor", "Ignore"], { description, mustBe: "Honor or Ignore" }));

export const TopologySpreadConstraint = closed(
  {
    maxSkew: integerWithin(1, 500, "By how many Pods places may differ."),
    topologyKey: topologyKey(),
    whenUnsatisfiable: oneOf(["DoNotSchedule", "ScheduleAnyway"], {
      description: "What becomes of a Pod that would make the difference greater.",
      mustBe: "DoNotSchedule or ScheduleAnyway",
    }),
    labelSelector: Type.Optional(LabelSelector("Pods")),
    minDomains: Type.Optional(integerWithin(1, 500, "Places that there must be at least, with DoNotSchedule.")),
    nodeAffinityPolicy: policy("Whether only nodes that affinity and nodeSelector allow count. Absent means Honor."),
    nodeTaintsPolicy: policy("Whether only nodes whose taints are borne count. Absent means Ignore."),
    matchLabelKeys: Type.Optional(labelKeys("Only Pods with the worker's own values of these labels count.")),
  },
  "How workers spread over places. Without a labelSelector, the workers of the LoadTest are counted.",
);
