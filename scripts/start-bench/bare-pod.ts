// How long a Pod takes that does nothing: the least that anybody's Pod takes on this machine.
import { readdirSync, readFileSync } from "node:fs";
import type { KubeClient } from "../../lib/kube/client.ts";
import { pods } from "../../lib/kube/resource.ts";
import type { Pod } from "../../lib/plan/objects.ts";

/** From the call that creates it until its program runs beside its sandbox, both of them pause. */
export async function bareStartMs(client: KubeClient, namespace: string, name: string): Promise<number> {
  const known = new Set(processes());
  const container = { name: "bare", image: "localhost/pause:test", imagePullPolicy: "Never" };
  const spec = { containers: [container], automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  const createdAtMs = Date.now();
  await client.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec } as unknown as Pod);
  while (processes().filter((pid) => !known.has(pid) && isPause(pid)).length < 2) await Bun.sleep(5);
  const ms = Date.now() - createdAtMs;
  await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
  return ms;
}

const processes = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

function isPause(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("/pause");
  } catch {
    return false; // it has ended
  }
}
