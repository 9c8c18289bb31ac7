// The connection of a Pod to its own cluster, by its service account
// (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
// The kubelet replaces the token long before it expires, so the files are read again each minute and after a 401.
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { nowMs } from "../runtime/clock.ts";
import { readTextFile, readTextFileIfPresent } from "../runtime/files.ts";
import { environment } from "../runtime/process.ts";
import type { Connection } from "./connection.ts";
import { CredentialSource, fileLifetimeMs } from "./credentials.ts";
import { tlsOptions } from "./tls-options.ts";

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Whether this process runs in a Pod that was given a service account. */
export function isInCluster(folder = serviceAccountFolder): boolean {
  return (
    environment("KUBERNETES_SERVICE_HOST") !== undefined && readTextFileIfPresent(join(folder, "token")) !== undefined
  );
}

/** The connection to the cluster that this Pod runs in; `namespace` defaults to the Pod's own. */
export async function inClusterConnection(namespace?: string, folder = serviceAccountFolder): Promise<Connection> {
  const host = environment("KUBERNETES_SERVICE_HOST");
  if (host === undefined) {
    throw new Error("Cannot find the API server: KUBERNETES_SERVICE_HOST is not set, must be as in every Pod");
  }
  const credentials = new CredentialSource(async () => ({
    credentials: {
      tls: tlsOptions({ ca: await readTextFile(join(folder, "ca.crt")) }),
      headers: { Authorization: `Bearer ${(await readTextFile(join(folder, "token"))).trim()}` },
    },
    renewAtMs: nowMs() + fileLifetimeMs,
  }));
  return {
    serverUrl: `https://${isIPv6(host) ? `[${host}]` : host}:${environment("KUBERNETES_SERVICE_PORT") ?? "443"}`,
    namespace: namespace ?? (readTextFileIfPresent(join(folder, "namespace"))?.trim() || "default"),
    credentials,
  };
}
