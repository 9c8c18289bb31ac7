// Of the containers of a worker's Pod, the worker: others may have been injected beside it, such as a mesh's.
import type { ContainerStatus, Pod } from "./objects.ts";

export const workerContainer = "worker";

/** undefined: the kubelet has said nothing of it yet. */
export function workerStatus({ status }: Pod): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === workerContainer);
}
