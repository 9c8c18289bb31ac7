import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Leader } from "../../lib/controller/leader.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { createLog } from "../../lib/runtime/log.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";

const namespace = "loadtest-leader";
const log = createLog("test", "error");

describe.skipIf(kubeconfig === "")("leaders of a real Lease", () => {
  let client: HttpKubeClient;

  beforeAll(async () => {
    client = new HttpKubeClient(await loadConnection({ kubeconfig }));
    await kubectl(["create", "namespace", namespace]);
  }, 60_000);
  afterAll(() => kubectl(["delete", "namespace", namespace]), 60_000);

  async function candidate(
    lease: string,
    identity: string,
  ): Promise<{ leader: Leader; stop: AbortController; ended: Promise<void> }> {
    const leader = new Leader(client, { namespace, name: lease }, identity, log);
    const stop = new AbortController();
    return { leader, stop, ended: leader.run(stop.signal) };
  }
  const makeLease = (name: string) =>
    kubectl(
      ["create", "-f", "-"],
      JSON.stringify({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name } }),
    );
  const leads =
    (...candidates: { leader: Leader }[]) =>
    async () =>
      candidates.map(({ leader }) => leader.isLeading);
  const holder = async (name: string) =>
    (await kubectlJson<{ spec: { holderIdentity?: string } }>(["get", "lease", name, "-n", namespace])).spec
      .holderIdentity;

  test("of two that want it one leads; when it ends in order the other follows at once", async () => {
    await makeLease("handover");
    const first = await candidate("handover", "first");
    await eventually(leads(first), ([isLeading]) => isLeading === true);
    const second = await candidate("handover", "second");
    await Bun.sleep(5000); // two tries of the second
    expect(await leads(first, second)()).toEqual([true, false]);
    expect(await holder("handover")).toBe("first");
    first.stop.abort();
    await first.ended;
    expect(first.leader.isLeading).toBe(false);
    await eventually(leads(second), ([isLeading]) => isLeading === true, 10_000);
    second.stop.abort();
    await second.ended;
    expect(await holder("handover")).toBeUndefined();
  }, 60_000);

  test("of one that has died the lease runs out, and the other follows", async () => {
    await makeLease("crash");
    const dead = {
      holderIdentity: "dead",
      leaseDurationSeconds: 15,
      renewTime: new Date().toISOString().replace("Z", "000Z"),
    };
    await kubectl(["patch", "lease", "crash", "-n", namespace, "--type=merge", "-p", JSON.stringify({ spec: dead })]);
    const next = await candidate("crash", "next");
    await Bun.sleep(8000); // the lease still holds
    expect(next.leader.isLeading).toBe(false);
    await eventually(leads(next), ([isLeading]) => isLeading === true, 20_000);
    next.stop.abort();
    await next.ended;
  }, 60_000);

  test("a leader that cannot renew stands down before another may step in", async () => {
    await makeLease("cut-off");
    const alone = await candidate("cut-off", "alone");
    await eventually(leads(alone), ([isLeading]) => isLeading === true);
    await kubectl(["delete", "lease", "cut-off", "-n", namespace]);
    await eventually(leads(alone), ([isLeading]) => isLeading === false, 14_000);
    alone.stop.abort();
    await alone.ended;
  }, 60_000);
});
