// Values from Secrets and ConfigMaps as volumes of a Pod: one for each object, with the keys that are needed. Never a
// subPath, whose files the kubelet leaves as they were.
import { type MountedKey, mountFolder } from "../loadtest/value-source.ts";
import type { Container, Volume } from "./objects.ts";

export interface ValueMounts {
  volumes: Volume[];
  mounts: NonNullable<Container["volumeMounts"]>;
}

/** In an order of their own: the same keys give the same volumes. An object that is missing keeps the Pod waiting. */
export function valueMounts(mounted: readonly MountedKey[]): ValueMounts {
  const byFolder = [...Map.groupBy(mounted, mountFolder)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    volumes: byFolder.map(([, keys], index) => volume(`values-${index}`, keys)),
    mounts: byFolder.map(([mountPath], index) => ({ name: `values-${index}`, mountPath, readOnly: true })),
  };
}

function volume(volumeName: string, keys: readonly MountedKey[]): Volume {
  const { kind, name } = keys[0] as MountedKey;
  const items = [...new Set(keys.map(({ key }) => key))].toSorted().map((key) => ({ key, path: key }));
  return kind === "Secret"
    ? { name: volumeName, secret: { secretName: name, items } }
    : { name: volumeName, configMap: { name, items } };
}
