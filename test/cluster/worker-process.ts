// The processes of workers whose Pods run on this machine's own kubelet.
import type { ObjectMeta } from "../../lib/plan/objects.ts";

/** The pid of a Pod's worker on this machine's kubelet. */
export async function workerProcess({
  metadata: { uid },
}: {
  metadata: ObjectMeta & { uid: string };
}): Promise<number> {
  for await (const pid of new Bun.Glob("[0-9]*").scan({ cwd: "/proc", onlyFiles: false })) {
    const read = (file: string) =>
      Bun.file(`/proc/${pid}/${file}`)
        .text()
        .catch(() => ""); // it may have ended
    if ((await read("cmdline")).startsWith("/loadtest\0worker\0") && (await read("cgroup")).includes(uid)) {
      return Number(pid);
    }
  }
  throw new Error(`Cannot find the worker of the Pod with uid ${uid} on this machine`);
}
