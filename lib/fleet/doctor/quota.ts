// Quotas that are about to be used up, in the amounts of Kubernetes
// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
import type { ResourceQuota } from "./resources.ts";

const fullShare = 0.9;
const binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimal = ["k", "M", "G", "T", "P", "E"];

/** The number that a quantity is; undefined when it is none. */
export function quantity(text: string): number | undefined {
  const [, digits, suffix = ""] = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === undefined || Number.isNaN(value)) return undefined;
  if (suffix === "") return value;
  if (suffix === "m") return value / 1000;
  if (suffix === "u") return value / 1e6;
  if (suffix === "n") return value / 1e9;
  if (binary.includes(suffix)) return value * 1024 ** (binary.indexOf(suffix) + 1);
  return decimal.includes(suffix) ? value * 1000 ** (decimal.indexOf(suffix) + 1) : undefined;
}

/** What a quota has little or nothing left of: `pods 10 of 10`. */
export function scarceIn({ status = {} }: ResourceQuota): string[] {
  return Object.entries(status.hard ?? {}).flatMap(([name, hard]) => {
    const used = status.used?.[name] ?? "0";
    const most = quantity(hard);
    const present = quantity(used);
    if (most === undefined || present === undefined || present < most * fullShare) return [];
    return [`${name} ${used} of ${hard}`];
  });
}
