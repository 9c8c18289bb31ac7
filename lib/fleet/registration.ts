// The webhooks' registration, such that nothing is refused by a webhook that does not work yet, and that no webhook which
// does work is opened again:
//
//     absent, or failing open ─ register failing open ─ caBundle written ─ probe ─┐
//     failing closed ──────────────────────────────────────────────────── apply ──┴─ close ─ probe
import { isDeepStrictEqual } from "node:util";
import { conditionType } from "../cert/condition.ts";
import { mutatingConfigurations, validatingConfigurations, type WebhookConfiguration } from "../cert/resources.ts";
import { isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { services } from "../kube/resource.ts";
import { extensionName, extensionNamespace } from "../manifest/names.ts";
import { withFailurePolicy } from "../manifest/webhooks.ts";
import type { KubeObject } from "../plan/objects.ts";
import { findObject } from "./apply.ts";
import { probeAdmission } from "./probe.ts";
import { condition } from "./readiness.ts";
import { keyOf } from "./resources.ts";
import { waitUntil } from "./waiting.ts";
import type { Watcher } from "./watcher.ts";

export interface RegistrationOptions {
  client: KubeClient;
  apply: (object: KubeObject) => Promise<void>;
  timeoutMs: number;
  stop: AbortSignal;
  watcher: Watcher;
  /** What has to be done where nobody writes the caBundle. */
  remedy: string;
}

/** @param webhooks As they are in the end. */
export async function register(webhooks: readonly KubeObject[], options: RegistrationOptions): Promise<void> {
  const { client, apply, watcher } = options;
  const live = await Promise.all(webhooks.map((webhook) => findObject(client, webhook)));
  const isOpen = webhooks.some(
    (webhook, index) => failsClosed(webhook) && !(live[index] !== undefined && failsClosed(live[index])),
  );
  watcher.begin("webhooks");
  for (const webhook of webhooks) await apply(isOpen ? withFailurePolicy(webhook, "Ignore") : webhook);
  watcher.done(isOpen ? "registered, and failing open until they are known to work" : "registered, and failing closed");

  watcher.begin("certificate");
  await wait(options, "Cannot have the webhooks trusted", () => untrusted(webhooks, options));
  watcher.done("its authority stands in the caBundle of every webhook");

  watcher.begin("probe");
  await probe(options);
  watcher.done("a good LoadTest is accepted and filled in, a bad Canary is refused");
  if (!isOpen) return;

  watcher.begin("closing");
  for (const webhook of webhooks) await apply(webhook);
  await probe(options);
  watcher.done("what cannot be judged is refused from now on");
}

function failsClosed(configuration: KubeObject): boolean {
  const { webhooks = [] } = configuration as { webhooks?: { failurePolicy?: string }[] };
  return webhooks.every(({ failurePolicy = "Fail" }) => failurePolicy === "Fail");
}

function probe(options: RegistrationOptions): Promise<void> {
  return wait(options, "Cannot see admission work", () => probeAdmission(options.client, extensionNamespace));
}

function wait(
  { timeoutMs, stop, watcher }: RegistrationOptions,
  what: string,
  look: () => Promise<string | undefined>,
) {
  return waitUntil(what, look, { timeoutMs, stop, tell: (words) => watcher.waiting(words) });
}

/** What is missing until the API server trusts every webhook, wherever it is to be found. */
async function untrusted(webhooks: readonly KubeObject[], options: RegistrationOptions): Promise<string | undefined> {
  const { client, remedy } = options;
  for (const webhook of webhooks) {
    const resource = webhook.kind === mutatingConfigurations.kind ? mutatingConfigurations : validatingConfigurations;
    const { webhooks: live = [] } = await client.get(resource, keyOf(webhook));
    const wanted = (webhook as WebhookConfiguration).webhooks ?? [];
    for (const { name, clientConfig } of wanted) {
      const { caBundle = "", ...place } = live.find((one) => one.name === name)?.clientConfig ?? {};
      if (caBundle !== "" && isDeepStrictEqual(place, clientConfig)) continue;
      return `${name} has no caBundle: ${await certificateState(client)}; ${remedy}`;
    }
  }
  return undefined;
}

/** In the words of the controller, which looks after the certificate. */
async function certificateState(client: KubeClient): Promise<string> {
  try {
    const service = await client.get(services, { namespace: extensionNamespace, name: extensionName });
    const told = condition(service, conditionType);
    return told === undefined ? "no controller has said anything of it" : `${told.reason}, ${told.message}`;
  } catch (error: unknown) {
    if (isForbidden(error) || isNotFound(error)) return error.said;
    throw error;
  }
}
