// The extension brought into a cluster: everything is asked and tried first, then applied step by step, and each step
// is at work before the next one begins. Whatever an earlier attempt has left is gone on from; what is as it should be
// stays untouched.
import type { Access } from "../kube/access-review.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { canaries, loadtests, pods } from "../kube/resource.ts";
import { apiGroup, apiVersion } from "../loadtest/api-group.ts";
import { type ExtensionOptions, extensionSteps, type Placement, type Step } from "../manifest/extension.ts";
import { extensionNamespace, ports } from "../manifest/names.ts";
import { podPolicy, podPolicyName } from "../manifest/pod-policy.ts";
import type { PolicyRule } from "../manifest/rights.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { type Applied, applyObject, findObject } from "./apply.ts";
import { unreadiness } from "./readiness.ts";
import { register } from "./registration.ts";
import { type RehearsalOptions, rehearse } from "./rehearsal.ts";
import { admissionPolicies, controllerSelector, formatObject, namespaces } from "./resources.ts";
import { access, accessTo, formatAccesses, missingAccess, missingToGrant, requireRights } from "./rights.ts";
import { rolloutTrouble } from "./rollout.ts";
import { type Surveyed, survey } from "./survey.ts";
import { waitUntil } from "./waiting.ts";
import type { Watcher } from "./watcher.ts";

export interface InstallOptions extends RehearsalOptions {
  extension: ExtensionOptions;
  /** Says what would be done, and does nothing. */
  dryRun: boolean;
  /** For each step to be at work. */
  timeoutMs: number;
  stop: AbortSignal;
  watcher: Watcher;
}

/** Resolves when all of it is at work, or with a dry run when all has been told. Rejects with what stands in the way. */
export async function install(client: KubeClient, options: InstallOptions): Promise<void> {
  const { extension, dryRun, watcher } = options;
  watcher.begin("preparation");
  await requireNamespace(client, extension.placement);
  const all = extensionSteps(extension);
  const surveyed = await survey(client, objectsOf(all));
  refuseVanishing(surveyed);
  const { steps, left } = await withoutForeignKinds(client, all, surveyed, extension.placement);
  const known = surveyed.filter(({ wanted }) => steps.some(({ objects }) => objects.includes(wanted)));
  requireRights("Cannot install", await missingRights(client, known, extension.placement));
  const rehearsed = await rehearse(client, known, options);
  watcher.done(left ?? "you may do all that is needed, and nothing stands in the way");
  if (dryRun) {
    for (const result of rehearsed) {
      watcher.tell(result.object, result.outcome, result.outcome === "untried" ? result.reason : undefined);
    }
    return;
  }
  const installation = new Installation(client, options);
  for (const step of steps) await installation.take(step);
}

function objectsOf(steps: readonly Step[]): KubeObject[] {
  return steps.flatMap(({ objects }) => objects);
}

/** A namespace of somebody else's is not made here. */
async function requireNamespace(client: KubeClient, placement: Placement): Promise<void> {
  if (placement.kind !== "namespaced") return;
  const { namespace } = placement;
  try {
    await client.get(namespaces, { name: namespace });
  } catch (error: unknown) {
    if (!isNotFound(error)) return; // who may not see it will hear whether anything can be made there
    throw new Error(`Cannot install in namespace "${namespace}": there is none, must be made first`);
  }
}

/** What is applied to an object on its way out goes with it. */
function refuseVanishing(surveyed: readonly Surveyed[]): void {
  const vanishing = surveyed.flatMap(({ live }) =>
    live !== undefined && live !== "unseen" && live.metadata.deletionTimestamp !== undefined
      ? [formatObject(live)]
      : [],
  );
  if (vanishing.length === 0) return;
  throw new Error(`Cannot install: ${vanishing.join(", ")} is being deleted, must be gone first`);
}

/** Whoever has one namespace only cannot change the kinds, and need not where they are served. */
async function withoutForeignKinds(
  client: KubeClient,
  steps: readonly Step[],
  surveyed: readonly Surveyed[],
  placement: Placement,
): Promise<{ steps: readonly Step[]; left?: string }> {
  const kinds = steps.find(({ name }) => name === "kinds")?.objects ?? [];
  if (placement.kind !== "namespaced") return { steps };
  const wanted = kinds.flatMap((kind) => ["get", "create", "patch"].map((verb) => accessTo(verb, kind)));
  if ((await missingAccess(client, wanted)).length === 0 || !(await servesKinds(client, kinds))) return { steps };
  const isUnseen = surveyed.some(({ wanted: object, live }) => kinds.includes(object) && live === "unseen");
  const left = `the kinds are there, and stay as they are: you may not ${isUnseen ? "see" : "change"} them`;
  return { steps: steps.filter(({ name }) => name !== "kinds"), left };
}

/** Whom it may concern may always ask what is served. */
async function servesKinds(client: KubeClient, kinds: readonly KubeObject[]): Promise<boolean> {
  try {
    const { resources } = JSON.parse(await client.raw(`/apis/${apiVersion}`)) as { resources: { name: string }[] };
    return kinds.every(({ metadata }) => resources.some(({ name }) => `${name}.${apiGroup}` === metadata.name));
  } catch (error: unknown) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function missingRights(
  client: KubeClient,
  surveyed: readonly Surveyed[],
  placement: Placement,
): Promise<string[]> {
  const verbs = (live: Surveyed["live"]) =>
    live === "unseen" ? ["get", "create", "patch"] : live === undefined ? ["create", "patch"] : ["patch"];
  const wanted = surveyed.flatMap(({ wanted: object, live }) => verbs(live).map((verb) => accessTo(verb, object)));
  const missing = await missingAccess(client, [...wanted, ...furtherAccess(placement)]);
  const roles = surveyed.filter(({ wanted: { kind }, live }) => /^(Cluster)?Role$/.test(kind) && live !== "unseen");
  const toGrant = await Promise.all(
    roles
      .filter(({ wanted: role, live }) => !hasRulesOf(live as Observed<KubeObject> | undefined, role))
      .map(({ wanted: role }) => missingToGrant(client, role)),
  );
  return [...formatAccesses(missing), ...toGrant.flat()];
}

/** Beside applying: to look for controllers that run, and to try objects. */
function furtherAccess({ kind }: Placement): Access[] {
  if (kind === "namespaced") return [];
  const where = { namespace: extensionNamespace };
  return [access("list", pods, where), ...[loadtests, canaries].map((resource) => access("create", resource, where))];
}

function hasRulesOf(live: KubeObject | undefined, role: KubeObject): boolean {
  const rules = (object: KubeObject | undefined) =>
    JSON.stringify((object as { rules?: readonly PolicyRule[] } | undefined)?.rules);
  return rules(live) === rules(role);
}

class Installation {
  readonly #client: KubeClient;
  readonly #options: InstallOptions;
  /** Whatever is applied more than once is told of once: with what has become of it in the end. */
  readonly #told = new Map<string, Applied["outcome"]>();
  /** As they are in the end. */
  #policies: readonly KubeObject[] = [];

  constructor(client: KubeClient, options: InstallOptions) {
    this.#client = client;
    this.#options = options;
  }

  async take({ name, objects }: Step): Promise<void> {
    const { watcher, timeoutMs, stop, extension } = this.#options;
    const apply = (object: KubeObject) => this.#apply(object);
    if (name === "webhooks") {
      const remedy = remedyOf(extension);
      return register(objects, { client: this.#client, apply, timeoutMs, stop, watcher, remedy });
    }
    watcher.begin(name);
    for (const object of name === "rights" ? await this.#transitional(objects) : objects) await apply(object);
    await waitUntil(`Cannot install the ${name}`, () => this.#missing(objects), {
      timeoutMs,
      stop,
      tell: (words) => watcher.waiting(words),
    });
    if (name === "controller") for (const policy of this.#policies) await apply(policy);
    watcher.done(wordsOf(objects));
  }

  /**
   * While controllers of another image run, the policy on worker Pods has room for both: whether the new ones get going
   * or not, there is one at any time that can start load.
   */
  async #transitional(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
    const { image } = this.#options.extension;
    this.#policies = objects.filter(
      ({ kind, metadata }) => kind === admissionPolicies.kind && metadata.name === podPolicyName,
    );
    if (this.#policies.length === 0) return objects;
    const labelSelector = controllerSelector;
    const { items } = await this.#client.list(pods, { namespace: extensionNamespace, labelSelector });
    const images = new Set(items.flatMap(({ spec }) => spec.containers.map((container) => container.image)));
    images.delete(image);
    return objects.map((object) => (this.#policies.includes(object) ? podPolicy(image, ...images) : object));
  }

  async #apply(object: KubeObject): Promise<void> {
    const { force, watcher, stop } = this.#options;
    if (stop.aborted) throw new Error(`Cannot apply ${formatObject(object)}: interrupted by ${stop.reason}`);
    const applied = await applyObject(this.#client, object, { force });
    if (applied.outcome === "conflict") {
      const fields = applied.conflicts.map(({ field, manager }) => `${field} is set by ${manager}`).join(", ");
      throw new Error(`Cannot apply ${formatObject(object)}: ${fields}, must be left to this installation`);
    }
    const before = this.#told.get(formatObject(object));
    this.#told.set(formatObject(object), applied.outcome);
    if (before === undefined || (before === "unchanged" && applied.outcome === "changed")) {
      watcher.tell(object, applied.outcome);
    }
  }

  /** What is missing until all objects are at work, and of a Deployment why. */
  async #missing(objects: readonly KubeObject[]): Promise<string | undefined> {
    for (const object of objects) {
      const live = await findObject(this.#client, object);
      if (live === undefined) return `${formatObject(object)} is gone`;
      const words = unreadiness(live);
      if (words === undefined) continue;
      const trouble = object.kind === "Deployment" ? await rolloutTrouble(this.#client, live) : undefined;
      return `${formatObject(object)} ${words}${trouble === undefined ? "" : `: ${trouble}`}`;
    }
    return undefined;
  }
}

function wordsOf(objects: readonly KubeObject[]): string {
  const deployment = objects.find(({ kind }) => kind === "Deployment") as { spec: { replicas: number } } | undefined;
  if (deployment !== undefined)
    return `${deployment.spec.replicas} of ${deployment.spec.replicas} replicas are available`;
  return objects.some(({ kind }) => kind === "CustomResourceDefinition") ? "served by the API server" : "there";
}

function remedyOf({ image, placement }: ExtensionOptions): string {
  if (placement.kind !== "outOfCluster") return `a controller must run in namespace ${extensionNamespace}`;
  return `a controller must run and serve them, loadtest controller --webhook-url ${placement.url} --worker-image ${image}, with --admission-port unless that URL leads to port ${ports.admission}`;
}
