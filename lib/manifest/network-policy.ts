// Who may talk to the controller and to workers, and to whom they may. For a network that enforces it; a cluster has to
// be told where its own API server is, if that is at another port.
import { workerLabels, workerMetricsPort } from "../plan/metrics-service.ts";
import type { Manifest } from "./manifest.ts";
import { extensionLabels, extensionName, ports } from "./names.ts";

const apiServerPorts = [443, 6443];
const dnsPort = 53;

/** For the namespace of the controller and for each with LoadTests: each policy finds its own Pods by their labels. */
export function networkPolicies(): Manifest[] {
  return [controllerPolicy(), workerPolicy()];
}

/**
 * The API server and the kubelet call from addresses that no selector names, so the ports are open to all. Of the
 * egress, the API server and DNS are known by their ports alone; replicas are asked for their certificate.
 */
function controllerPolicy(): Manifest {
  return policy(extensionName, extensionLabels, {
    ingress: [{ ports: Object.values(ports).map(tcp) }],
    egress: [
      { ports: apiServerPorts.map(tcp) },
      { ports: [tcp(dnsPort), { protocol: "UDP", port: dnsPort }] },
      { to: [{ podSelector: { matchLabels: extensionLabels } }], ports: [tcp(ports.admission)] },
    ],
  });
}

/** Where a target's Pods are, or an external name leads, nobody knows beforehand: the load may go anywhere. */
function workerPolicy(): Manifest {
  return policy(`${extensionName}-workers`, workerLabels, {
    ingress: [{ ports: [tcp(workerMetricsPort)] }],
    egress: [{}],
  });
}

function policy(name: string, matchLabels: object, rules: object): Manifest {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name },
    spec: { podSelector: { matchLabels }, policyTypes: ["Ingress", "Egress"], ...rules },
  };
}

function tcp(port: number): object {
  return { protocol: "TCP", port };
}
