// The controller's admission endpoint: where the API server finds it, and the certificate that it looks after itself.
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { Registry } from "prom-client";
import { Announcer } from "../cert/announcer.ts";
import type { Endpoint } from "../cert/handshake.ts";
import { keepCertificate } from "../cert/keeper.ts";
import { podEndpoints } from "../cert/replicas.ts";
import { ServingWatch } from "../cert/serving-watch.ts";
import type { KubeClient } from "../kube/client.ts";
import type { WatchCounters } from "../kube/doorbell.ts";
import { extensionName, extensionNamespace, serviceHost } from "../manifest/names.ts";
import type { Names } from "../pki/names.ts";
import type { Log } from "../runtime/log.ts";
import type { Admission } from "../webhook/admission.ts";
import { UsageError } from "./exit-code.ts";

/** Where the API server finds the endpoint. */
export interface Place {
  host: string;
  names: Names;
  /** Absent: behind the Service, with the Pods of the Deployment as replicas. */
  url?: { text: string; port: number };
}

export const behindService: Place = {
  host: serviceHost(extensionName, extensionNamespace),
  names: {
    dnsNames: ["svc", "svc.cluster.local"].map((suffix) => `${extensionName}.${extensionNamespace}.${suffix}`),
    ipAddresses: [],
  },
};

/** The place that `--webhook-url` names. Throws a UsageError unless it is one that API servers can call. */
export function placeOf(text: string): Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hasMore =
    url !== undefined && (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "");
  if (url === undefined || url.protocol !== "https:" || hasMore) {
    throw new UsageError(
      `Cannot serve admission at "${text}": must be https, a host and maybe a port, such as https://192.0.2.7:8443`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const names = isIP(host) === 0 ? { dnsNames: [host], ipAddresses: [] } : { dnsNames: [], ipAddresses: [host] };
  return { host, names, url: { text: url.origin, port: url.port === "" ? 443 : Number(url.port) } };
}

export interface CertificateDuty {
  client: KubeClient;
  admission: Admission;
  place: Place;
  identity: string;
  mayAct: () => boolean;
  registry: Registry;
  /** Absent: nothing is watched. */
  watchCounters?: WatchCounters;
  log: Log;
}

/** Keeps the endpoint's certificate in order until `stop` is aborted. */
export function lookAfterCertificate(duty: CertificateDuty, stop: AbortSignal): Promise<void> {
  const { client, admission, place, identity, mayAct, registry, watchCounters, log } = duty;
  const { host, names, url } = place;
  const options = {
    client,
    host,
    names,
    ...(url === undefined ? {} : { webhookUrl: url.text }),
    endpoints: () => (url === undefined ? podEndpoints(client, host) : Promise.resolve(atUrl(host, url))),
    useCertificate: admission.useCertificate.bind(admission),
    mayAct,
    announcer: new Announcer(client, identity, registry),
    ...(watchCounters === undefined ? {} : { watch: new ServingWatch(client, watchCounters, log) }),
    log,
  };
  return keepCertificate(options, stop);
}

function atUrl(host: string, { text, port }: { text: string; port: number }): ReadonlyMap<string, Endpoint> {
  return new Map([[text, { host, port, ...(isIP(host) === 0 ? { serverName: host } : {}) }]]);
}

/** Tells several controllers apart, in Leases and Events. */
export function newIdentity(): string {
  return `${hostname()}_${crypto.randomUUID().slice(0, 8)}`;
}
