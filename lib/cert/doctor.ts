// All that the doctor looks at, at the same time.
import type { KubeClient } from "../kube/client.ts";
import type { Finding } from "./finding.ts";
import { takeInventory } from "./inventory.ts";
import { clusterIssuer } from "./issuer.ts";
import { checkSigner } from "./signer-check.ts";

export interface DoctorOptions {
  signers: readonly WantedSigner[];
  probe: boolean;
  kubeconfigCa: string | undefined;
  stop: AbortSignal;
}

export interface WantedSigner {
  signerName: string;
  /** Whether it is a failure, and not only a warning, when it cannot be used. */
  isNeeded: boolean;
}

/** The signers in the order given, then what there is. Nothing on the cluster is changed for good. */
export async function examine(client: KubeClient, options: DoctorOptions): Promise<Finding[]> {
  const { signers, probe, kubeconfigCa, stop } = options;
  const clusterCa = await clusterIssuer(client, kubeconfigCa);
  const inventory = takeInventory(client, clusterCa);
  const checks = signers.map(async ({ signerName, isNeeded }): Promise<Finding> => {
    const finding = await checkSigner(client, { signerName, probe, clusterCa, stop });
    return finding.level === "failure" && !isNeeded ? { ...finding, level: "warning" } : finding;
  });
  await Promise.allSettled([inventory, ...checks]); // whatever fails, every check cleans up first
  return [...(await Promise.all(checks)), ...(await inventory)];
}
