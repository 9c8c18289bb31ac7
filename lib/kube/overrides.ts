// What a command line changes in the entries of a kubeconfig, by the rules of kubectl: another server has no name of its
// own to verify, an authority takes the place of one that is there as data, and no check of certificates needs none.
import type { Cluster, User } from "./kubeconfig-file.ts";

/** kubectl's flags of the same names. */
export interface EntryOverrides {
  readonly server?: string;
  readonly tlsServerName?: string;
  readonly certificateAuthority?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly token?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly as?: string;
  readonly asUid?: string;
  readonly asGroups?: readonly string[];
}

export function withClusterOverrides(cluster: Cluster | undefined, overrides: EntryOverrides): Cluster | undefined {
  const { server = cluster?.server, tlsServerName, certificateAuthority, insecureSkipTlsVerify } = overrides;
  if (server === undefined) return undefined;
  const { "tls-server-name": ownName, ...rest } = cluster ?? {};
  const changed: Cluster = { ...rest, server };
  const serverName = tlsServerName ?? (overrides.server === undefined ? ownName : undefined);
  if (serverName !== undefined) changed["tls-server-name"] = serverName;
  if (insecureSkipTlsVerify !== undefined) changed["insecure-skip-tls-verify"] = insecureSkipTlsVerify;
  const hasOtherTrust = certificateAuthority !== undefined || insecureSkipTlsVerify === true;
  if (hasOtherTrust) delete changed["certificate-authority-data"];
  if (hasOtherTrust) delete changed["certificate-authority"];
  if (certificateAuthority !== undefined) changed["certificate-authority"] = certificateAuthority;
  return changed;
}

/** A token is shown beside a client certificate, of which the API server believes the certificate, as with kubectl. */
export function withUserOverrides(user: User, overrides: EntryOverrides): User {
  const { token, clientCertificate, clientKey, as, asUid, asGroups } = overrides;
  const changed: User = { ...user };
  if (token !== undefined) {
    changed.token = token;
    for (const other of ["tokenFile", "exec", "auth-provider", "username", "password"] as const) delete changed[other];
  }
  if (clientCertificate !== undefined) {
    changed["client-certificate"] = clientCertificate;
    delete changed["client-certificate-data"];
  }
  if (clientKey !== undefined) {
    changed["client-key"] = clientKey;
    delete changed["client-key-data"];
  }
  if (as !== undefined) changed.as = as;
  if (asUid !== undefined) changed["as-uid"] = asUid;
  if (asGroups !== undefined && asGroups.length > 0) changed["as-groups"] = [...asGroups];
  return changed;
}
