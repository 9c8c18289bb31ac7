// All checks of one cluster, from whether it answers to whether its namespaces take workers. Nothing is changed: what is
// created is created in dry runs and reviews, which nobody stores.
import { examine as examineCertificates } from "../../cert/doctor.ts";
import { type Finding, failure } from "../../cert/finding.ts";
import { isForbidden } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName, extensionNamespace } from "../../manifest/names.ts";
import { nowMs } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/error-message.ts";
import { hasWebhooks, homeOf } from "../installation.ts";
import { deployments } from "../resources.ts";
import { proveAdmission } from "./admission.ts";
import { type Check, runChecks } from "./check.ts";
import { examineExcess } from "./excess.ts";
import { examineKinds } from "./kinds.ts";
import { examineLeader } from "./leader.ts";
import { judgeObjects, listObjects, type Objects } from "./load-tests.ts";
import { examineOwnNamespace, examineQuotas, examineTargets } from "./namespaces.ts";
import { examineNodes } from "./nodes.ts";
import { examineParts } from "./parts.ts";
import { findPlacements, judgePlacements } from "./placements.ts";
import { examinePodPolicy, workerImageOf } from "./pod-policy.ts";
import { examineRegistrations } from "./registrations.ts";
import { examineCaller, examineController } from "./rights.ts";
import { type ClockReading, clockSkewMs, judgeClock, judgeVersion, minorOf, type ServerVersion } from "./server.ts";
import { examineServing } from "./serving.ts";
import { examineWorkload } from "./workload.ts";

/** One cluster, as somebody sees it. */
export interface Patient {
  client: KubeClient;
  /** Where commands work that name no namespace. */
  namespace: string;
  /** What the kubeconfig trusts, if it says so. */
  kubeconfigCa: string | undefined;
}

/** Never rejects. What has not been found out when `late` is aborted is said to be so. */
export async function examineCluster(patient: Patient, late: AbortSignal): Promise<Finding[]> {
  try {
    const greeting = await greet(patient.client);
    const placements = await findPlacements(patient.client, patient.namespace);
    const first = [judgeVersion(greeting.version), judgeClock(greeting.clock), judgePlacements(placements)];
    return [...first, ...(await runChecks(new Examination(patient, placements, greeting, late).checks(), late))];
  } catch (error: unknown) {
    return [failure("API server", messageOf(error), "see that it runs, and that the kubeconfig's context is right")];
  }
}

interface Greeting {
  version: ServerVersion;
  /** undefined: its answer has no date. */
  clock: ClockReading | undefined;
}

async function greet(client: KubeClient): Promise<Greeting> {
  await client.raw("/version"); // connects, so that the next answer takes no longer than the way
  let date = "";
  const beforeMs = nowMs();
  const onHeaders = (headers: Headers) => {
    date = headers.get("Date") ?? "";
  };
  const version: ServerVersion = JSON.parse(await client.raw("/version", { onHeaders }));
  const serverMs = Date.parse(date);
  return { version, clock: Number.isNaN(serverMs) ? undefined : { serverMs, beforeMs, afterMs: nowMs() } };
}

class Examination {
  readonly #patient: Patient;
  readonly #placements: readonly Placement[];
  readonly #serverMinor: number;
  readonly #skewMs: number;
  readonly #late: AbortSignal;
  readonly #hasWebhooks: boolean;
  /** What several checks look at. */
  readonly #objects: () => Promise<Objects>;
  readonly #kinds: () => ReturnType<typeof examineKinds>;
  readonly #proof: () => ReturnType<typeof proveAdmission>;

  constructor(patient: Patient, placements: readonly Placement[], { version, clock }: Greeting, late: AbortSignal) {
    const { client, namespace } = patient;
    this.#patient = patient;
    this.#placements = placements;
    this.#serverMinor = minorOf(version);
    this.#skewMs = clock === undefined ? 0 : clockSkewMs(clock);
    this.#late = late;
    this.#hasWebhooks = placements.some(hasWebhooks);
    this.#objects = once(() => objectsAt(patient, placements));
    this.#kinds = once(() => examineKinds(client));
    this.#proof = once(() => proveAdmission(client, namespace, this.#hasWebhooks));
  }

  /** By the API server's clock. */
  readonly #now = () => nowMs() + this.#skewMs;

  checks(): Check[] {
    const { client } = this.#patient;
    return [
      { subject: "your rights", look: () => examineCaller(client, this.#placements) },
      { subject: "nodes", look: () => examineNodes(client, this.#serverMinor, this.#now) },
      { subject: "kinds", look: async () => (await this.#kinds()).findings },
      ...this.#placements.flatMap((placement) => this.#checksOf(placement)),
      { subject: "dry run of a LoadTest", look: this.#ifServed(async () => (await this.#proof()).findings) },
      ...this.#placements.filter(hasWebhooks).flatMap((placement) => this.#certificateChecks(placement)),
      ...this.#objectChecks(),
    ];
  }

  /** Of kinds that are not there, nothing more is said than that. */
  #ifServed(look: Check["look"]): Check["look"] {
    return async () => {
      const isServed = await this.#kinds().then(
        ({ areServed }) => areServed,
        () => true, // for who may not see the kinds, their objects may tell
      );
      return isServed ? look() : [];
    };
  }

  #checksOf(placement: Placement): Check[] {
    const { client } = this.#patient;
    const home = homeOf(placement);
    const isOwn = placement.kind !== "namespaced";
    const account = `${home}/${extensionName}`;
    const whole: Check[] = [
      { subject: `Pod Security of ${home}`, look: () => examineOwnNamespace(client) },
      { subject: "policy on worker Pods", look: () => examinePodPolicy(client, placement) },
      { subject: "webhooks", look: () => examineRegistrations(client, placement, this.#now) },
    ];
    const workload = { subject: `Deployment ${account}`, look: () => examineWorkload(client, placement, this.#now) };
    return [
      { subject: `parts in ${home}`, look: () => examineParts(client, placement) },
      { subject: `rights of ${account}`, look: () => examineController(client, placement) },
      { subject: `rights in excess of ${account}`, look: () => examineExcess(client, placement) },
      ...(placement.kind === "outOfCluster" ? [] : [workload]),
      { subject: `Lease of ${home}`, look: () => examineLeader(client, placement, this.#now) },
      ...(isOwn ? whole : []),
    ];
  }

  #certificateChecks(placement: Placement): Check[] {
    const { client, kubeconfigCa } = this.#patient;
    const hasAnswered = async () => {
      try {
        return (await this.#proof()).hasAnswered;
      } catch {
        return false; // which the dry run's own check tells of
      }
    };
    return [
      {
        subject: "certificate that is served",
        look: async () => examineServing(client, placement, await hasAnswered(), this.#now),
      },
      {
        subject: "certificates",
        look: async () => {
          const options = { signers: [], probe: false, kubeconfigCa, stop: this.#late };
          const findings = await examineCertificates(client, options);
          return (await hasAnswered()) ? findings.map(milder) : findings;
        },
      },
    ];
  }

  #objectChecks(): Check[] {
    const { client } = this.#patient;
    const hasController = this.#placements.length > 0;
    return [
      {
        subject: "LoadTests",
        look: this.#ifServed(async () => judgeObjects(await this.#objects(), hasController, this.#now())),
      },
      {
        subject: "dry run of worker Pods",
        look: this.#ifServed(async () => {
          const objects = await this.#objects();
          return examineTargets(client, objects.loadTests, await this.#workerImage(objects));
        }),
      },
      {
        subject: "quotas",
        look: this.#ifServed(async () => {
          const { loadTests, namespace } = await this.#objects();
          return examineQuotas(client, loadTests, namespace);
        }),
      },
    ];
  }

  async #workerImage({ workers }: Objects): Promise<string> {
    const [placement] = this.#placements;
    const namespace = placement === undefined ? extensionNamespace : homeOf(placement);
    const deployment = await find(this.#patient.client, deployments, { namespace, name: extensionName });
    return workerImageOf(deployment) ?? workers[0]?.spec.containers[0]?.image ?? extensionName;
  }
}

/** Of the whole cluster, or of the namespace at hand for who may see no more. */
async function objectsAt({ client, namespace }: Patient, placements: readonly Placement[]): Promise<Objects> {
  try {
    return await listObjects(client, undefined);
  } catch (error: unknown) {
    if (!isForbidden(error)) throw error;
    const home = placements.find(({ kind }) => kind === "namespaced");
    return listObjects(client, home === undefined ? namespace : homeOf(home));
  }
}

/**
 * The API server has just taken an answer by a certificate that it trusts. What is missing where the controller keeps
 * its own comes from somewhere else then, such as files of cert-manager.
 */
function milder(finding: Finding): Finding {
  const isMissing = finding.level === "failure" && finding.expiresAt === undefined;
  if (!isMissing) return finding;
  return { ...finding, level: "warning", message: `${finding.message}; the API server trusts what is served even so` };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
