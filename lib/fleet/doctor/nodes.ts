// Whether nodes can run workers: ready, of a version that goes with the API server's, and with clocks that agree, since
// workers begin together at an instant of their own clocks.
import { type Finding, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { type Lease, leases } from "../resources.ts";
import { type Node, nodes } from "./resources.ts";
import { count, several, span } from "./words.ts";

/** Minor versions that a kubelet may be behind (https://kubernetes.io/releases/version-skew-policy/). */
const kubeletLag = 3;
const tolerableAheadMs = 2000;
/** Kubelets renew every 10 s, and after 40 s the cluster takes the node for lost. */
const tolerableBehindMs = 30_000;

/** @param serverMinor Of the API server's version. @param nowMs By its clock. */
export async function examineNodes(client: KubeClient, serverMinor: number, nowMs: () => number) {
  const [{ items }, beats] = await Promise.all([
    client.list(nodes),
    client.list(leases, { namespace: "kube-node-lease" }),
  ]);
  return [judgeNodes(items, serverMinor), judgeNodeClocks(items, beats.items, nowMs())];
}

export function judgeNodes(all: readonly Node[], serverMinor: number): Finding {
  const subject = "nodes";
  if (all.length === 0) return warning(subject, "there are none, so that nothing can run", "add one");
  const unready = all.filter((node) => !isReady(node));
  if (unready.length > 0) {
    const which = several(unready.map(({ metadata }) => metadata.name));
    return warning(subject, `${unready.length} of ${all.length} not ready: ${which}`, "kubectl describe node NAME");
  }
  const strange = all.filter((node) => {
    const minor = minorOf(node);
    return minor !== undefined && (minor > serverMinor || minor < serverMinor - kubeletLag);
  });
  if (strange.length > 0) {
    const which = several(strange.map((node) => `${node.metadata.name} (${versionOf(node)})`));
    const message = `kubelets that do not go with an API server of 1.${serverMinor}: ${which}`;
    return warning(subject, message, `upgrade: kubelets are no newer, and at most ${kubeletLag} minor versions older`);
  }
  const versions = [...new Set(all.map(versionOf))].toSorted();
  return ok(subject, `${count(all.length, "node")} ready, ${versions.join(", ")}`);
}

/** By the Leases that ready nodes keep renewing. */
export function judgeNodeClocks(all: readonly Node[], beats: readonly Lease[], serverMs: number): Finding {
  const subject = "node clocks";
  const ready = new Set(all.filter(isReady).map(({ metadata }) => metadata.name));
  const off = beats.flatMap(({ metadata, spec }) => {
    const renewedMs = Date.parse(spec?.renewTime ?? "");
    if (!ready.has(metadata.name) || Number.isNaN(renewedMs)) return [];
    const aheadMs = renewedMs - serverMs;
    if (aheadMs > tolerableAheadMs) return [`${metadata.name} is ${span(aheadMs)} ahead`];
    return aheadMs < -tolerableBehindMs ? [`${metadata.name} is up to ${span(-aheadMs)} behind`] : [];
  });
  if (off.length === 0) return ok(subject, "none that is ahead of the API server's or far behind it");
  return warning(subject, several(off), "set them by NTP: workers start by the clocks of their nodes");
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
}

function versionOf({ status }: Node): string {
  return status?.nodeInfo?.kubeletVersion ?? "unknown";
}

function minorOf(node: Node): number | undefined {
  const [, minor] = /^v?1\.(\d+)/.exec(versionOf(node)) ?? [];
  return minor === undefined ? undefined : Number(minor);
}
