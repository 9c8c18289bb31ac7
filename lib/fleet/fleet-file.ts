// The one file that says how the extension is to be on many clusters: what is common to all, and what is not. A cluster
// that is not named in it is none of the fleet, so that a slip of the pen is no cluster without its own settings.
import Type, { type Static } from "typebox";
import { readDocuments } from "../loadtest/documents.ts";
import type { FieldError } from "../loadtest/field-error.ts";
import { kindOf } from "../loadtest/kind.ts";
import { dnsLabel } from "../loadtest/metadata.ts";
import { closed, integerWithin } from "../loadtest/schema.ts";
import { createSchemaValidator } from "../loadtest/validator.ts";
import { defaultReplicas } from "../manifest/controller.ts";
import type { ExtensionOptions, Placement } from "../manifest/extension.ts";
import type { KubeObject, ObjectMeta } from "../plan/objects.ts";

const settings = {
  image: Type.Optional(
    Type.String({
      description: "Of the controller and its workers.",
      pattern: "^[^\\s']+$",
      maxLength: 512,
      mustBe: "an image such as registry.example/loadtest:1.0",
    }),
  ),
  replicas: Type.Optional(integerWithin(1, 100, `Controllers (default: ${defaultReplicas}).`)),
  inCluster: Type.Optional(Type.Literal(true, { description: "The controller is in the cluster.", mustBe: "true" })),
  namespaced: Type.Optional(
    Type.String({
      description: "The one namespace that the controller is in, and looks after.",
      pattern: dnsLabel,
      maxLength: 63,
      mustBe: "the name of a namespace",
    }),
  ),
  outOfCluster: Type.Optional(
    Type.String({
      description: "The URL at which a controller outside of the cluster serves the webhooks.",
      pattern: "^https://[^/?#@\\s]+$",
      mustBe: "https, a host and maybe a port, such as https://192.0.2.7:8443",
    }),
  ),
  objects: Type.Optional(
    Type.Array(
      Type.Unsafe<string | object>({
        type: ["string", "object"],
        mustBe: "the path of a file, or a LoadTest or Canary",
      }),
      {
        description: "LoadTests and Canaries that are to be there.",
        maxItems: 1000,
        mustBe: "a list of files, LoadTests and Canaries",
      },
    ),
  ),
};

const ClusterSettings = closed(settings, "What is not as it is on the others.");
type ClusterSettings = Static<typeof ClusterSettings>;

const FleetFile = closed(
  {
    ...settings,
    clusters: Type.Record(Type.String(), ClusterSettings, {
      description: "By context, in the order of `sync`; the first is the canary.",
      minProperties: 1,
      mustBe: "a map with an entry for each context, such as {west: {}, east: {replicas: 3}}",
    }),
  },
  "How the extension is to be on each cluster.",
);
type FleetFile = Static<typeof FleetFile>;

const validate = createSchemaValidator(FleetFile);
const placements = ["inCluster", "namespaced", "outOfCluster"] as const;

/** What is to be on one cluster. */
export interface WantedCluster {
  extension: ExtensionOptions;
  objects: readonly KubeObject[];
}

export interface Fleet {
  /** By context, in the order of the file. */
  clusters: ReadonlyMap<string, WantedCluster>;
}

/**
 * The fleet that the text of a file describes, or all that is wrong with it.
 *
 * @param readFile Reads what the file names, by the paths that stand in it. Its errors are thrown on.
 */
export async function parseFleetFile(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<{ fleet: Fleet } | { errors: FieldError[] }> {
  const documents = readDocuments(text);
  const problem = documents.find((document) => document.problem !== undefined)?.problem;
  if (problem !== undefined) return { errors: [documentError(problem, "well-formed YAML")] };
  if (documents.length !== 1) return { errors: [documentError(`${documents.length} documents`, "one document")] };
  const errors = validate(documents[0]?.object);
  if (errors.length > 0) return { errors };
  const file = documents[0]?.object as FleetFile;
  const { clusters, ...common } = file;
  errors.push(...placementErrors("", common));
  for (const [context, own] of Object.entries(clusters)) {
    errors.push(...placementErrors(`clusters.${context}.`, own));
    if ((own.image ?? common.image) === undefined) {
      errors.push({ field: `clusters.${context}.image`, rule: "required", mustBe: "given here, or for all clusters" });
    }
  }
  const reader = new ObjectReader(readFile, errors);
  const commonObjects = await reader.read("objects", common.objects ?? []);
  const wanted = new Map<string, WantedCluster>();
  for (const [context, own] of Object.entries(clusters)) {
    const objects = own.objects && (await reader.read(`clusters.${context}.objects`, own.objects));
    const { image = "", replicas = defaultReplicas } = { ...common, ...own };
    const placement = placementOf(own) ?? placementOf(common) ?? { kind: "cluster" };
    wanted.set(context, { extension: { image, replicas, placement }, objects: objects ?? commonObjects });
  }
  return errors.length > 0 ? { errors } : { fleet: { clusters: wanted } };
}

function documentError(value: string, mustBe: string): FieldError {
  return { field: "document", value, rule: "syntax", mustBe };
}

function placementErrors(prefix: string, given: ClusterSettings): FieldError[] {
  const [, ...others] = placements.filter((name) => given[name] !== undefined);
  return others.map((name) => ({
    field: prefix + name,
    value: given[name],
    rule: `one of ${placements.join(", ")}`,
    mustBe: "absent: the controller is in one place",
  }));
}

function placementOf({ inCluster, namespaced, outOfCluster }: ClusterSettings): Placement | undefined {
  if (inCluster) return { kind: "cluster" };
  if (namespaced !== undefined) return { kind: "namespaced", namespace: namespaced };
  return outOfCluster === undefined ? undefined : { kind: "outOfCluster", url: outOfCluster };
}

/** The objects that a list names or holds; what is wrong with them joins the errors. */
class ObjectReader {
  readonly #readFile: (path: string) => Promise<string>;
  readonly #errors: FieldError[];

  constructor(readFile: (path: string) => Promise<string>, errors: FieldError[]) {
    this.#readFile = readFile;
    this.#errors = errors;
  }

  /** Canaries first, since LoadTests need them. */
  async read(field: string, entries: readonly (string | object)[]): Promise<KubeObject[]> {
    const objects = new Map<string, KubeObject>();
    for (const [index, entry] of entries.entries()) {
      const place = `${field}[${index}]`;
      const found = typeof entry === "string" ? await this.#open(place, entry) : [{ place, object: entry as unknown }];
      for (const { place: where, object } of found) this.#take(where, object, objects);
    }
    const isCanary = ({ kind }: KubeObject) => Number(kind === "Canary");
    return [...objects.values()].toSorted((one, other) => isCanary(other) - isCanary(one));
  }

  async #open(place: string, path: string): Promise<{ place: string; object: unknown }[]> {
    const documents = readDocuments(await this.#readFile(path));
    return documents.flatMap(({ index, object, problem }) => {
      const where = `${place} ${path}: document ${index}`;
      if (problem === undefined) return [{ place: where, object }];
      this.#errors.push({ field: where, value: problem, rule: "syntax", mustBe: "well-formed YAML or JSON" });
      return [];
    });
  }

  #take(place: string, given: unknown, objects: Map<string, KubeObject>): void {
    const kind = kindOf(given);
    if (kind === undefined) {
      const { kind: value = "no kind" } = (given ?? {}) as { kind?: unknown };
      this.#errors.push({ field: `${place}.kind`, value, rule: "kind", mustBe: "LoadTest or Canary" });
      return;
    }
    const { object, errors } = kind.judge(given);
    this.#errors.push(...errors.map((error) => ({ ...error, field: `${place}.${error.field}` })));
    if (errors.length > 0) return;
    const known = object as KubeObject;
    const { name, namespace } = known.metadata as Partial<ObjectMeta>;
    if (namespace === undefined) {
      const mustBe = "given: a context's own namespace differs from cluster to cluster";
      this.#errors.push({ field: `${place}.metadata.namespace`, rule: "required", mustBe });
    }
    if (name === undefined) this.#errors.push({ field: `${place}.metadata.name`, rule: "required", mustBe: "given" });
    const key = `${kind.kind} ${namespace}/${name}`;
    if (objects.has(key)) this.#errors.push({ field: place, value: key, rule: "unique", mustBe: "there once" });
    objects.set(key, known);
  }
}
