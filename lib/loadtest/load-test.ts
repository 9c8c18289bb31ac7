// The LoadTest kind, written once: from this schema come the TypeScript types, the validator and the CRD.
// `mustBe` ends every error message about a field, and is not part of the CRD.
import Type, { type Static } from "typebox";
import { apiVersion } from "./api-group.ts";
import { durationPattern } from "./duration.ts";
import { HttpRequest, pathMaxLength, pathMustBe, pathPattern } from "./http-request.ts";
import type { LoadTestStatus } from "./load-test-status.ts";
import { clientMetadata, dnsLabel, dnsSubdomain, serviceName } from "./metadata.ts";
import { oneOf } from "./one-of.ts";
import { PodTemplate } from "./pod-template.ts";
import { Thresholds } from "./thresholds.ts";
import { ClientCertificateSource, valueSource } from "./value-source.ts";

/** Longest name of a LoadTest: its Pods' names add a hash and an index, and stay DNS labels. */
export const nameMaxLength = 45;

function duration(options: { description: string; mustBe: string }) {
  return Type.String({ pattern: durationPattern, maxLength: 32, ...options });
}

const rateMaximum = 1_000_000;

const Stage = Type.Object(
  {
    duration: duration({
      description: "How long the ramp takes, such as 30s or 5m.",
      mustBe: "a duration of at least 1s, such as 30s or 5m",
    }),
    requestsPerSecond: Type.Integer({
      description: "The rate at the end of the ramp, over all workers together; 0 ends the load softly.",
      minimum: 0,
      maximum: rateMaximum,
      mustBe: "an integer from 0 to 1000000",
    }),
  },
  {
    additionalProperties: false,
    description: "A linear ramp from the rate before it to its own.",
    mustBe: "an object with the fields duration and requestsPerSecond",
  },
);

const states = ["Running", "Paused", "Stopped"] as const;

export const LoadTestSpec = Type.Object(
  {
    service: Type.Optional(
      serviceName({ description: "Name of the Service to load, in the namespace of the LoadTest." }),
    ),
    canary: Type.Optional(
      Type.String({
        description:
          "Name of a Canary in the namespace of the LoadTest, instead of service: its backends share the requests by their percents.",
        pattern: dnsSubdomain,
        maxLength: 253,
        mustBe: "the name of a Canary",
      }),
    ),
    scheme: oneOf(["http", "https"], {
      description: "How requests are sent: http or https. With https, certificate chain and host name are verified.",
      mustBe: "http or https",
    }),
    requestsPerSecond: Type.Integer({
      description:
        "Requests per second, over all workers together. They are sent evenly spaced and on time whatever the responses do (open loop).",
      minimum: 1,
      maximum: rateMaximum,
      mustBe: "an integer from 1 to 1000000",
    }),
    paths: Type.Optional(
      Type.Array(
        Type.String({
          pattern: pathPattern,
          maxLength: pathMaxLength,
          mustBe: pathMustBe,
        }),
        {
          description:
            "Paths to request, each in its turn. Absent or empty, without requests, means /index.html alone.",
          maxItems: 32,
          "x-kubernetes-list-type": "atomic",
          mustBe: "a list of at most 32 paths",
        },
      ),
    ),
    requests: Type.Optional(
      Type.Array(HttpRequest, {
        description: "What to request, instead of paths: methods, headers, bodies and weights.",
        minItems: 1,
        maxItems: 32,
        "x-kubernetes-list-type": "atomic",
        mustBe: "a list of 1 to 32 requests",
      }),
    ),
    port: Type.Optional(
      Type.Integer({
        description: "Port of the Service. Absent means 80 for http and 443 for https.",
        minimum: 1,
        maximum: 65535,
        mustBe: "a port number from 1 to 65535",
      }),
    ),
    duration: Type.Optional(
      duration({
        description:
          "How long the load lasts, such as 90s or 1h30m, from 1s to 168h. Absent means until the LoadTest is stopped or deleted.",
        mustBe: "a duration from 1s to 168h, such as 90s or 1h30m",
      }),
    ),
    stages: Type.Optional(
      Type.Array(Stage, {
        description:
          "Linear ramps one after the other, the first from requestsPerSecond; the load ends with the last. Excludes duration.",
        minItems: 1,
        maxItems: 64,
        "x-kubernetes-list-type": "atomic",
        mustBe: "a list of 1 to 64 stages",
      }),
    ),
    arrivals: Type.Optional(
      oneOf(["Constant", "Poisson"], {
        description:
          "Constant: requests are evenly spaced. Poisson: they come by chance, independently of each other, as those of many users do. Absent means Constant.",
        mustBe: "Constant or Poisson",
      }),
    ),
    workers: Type.Optional(
      Type.Integer({
        description:
          "Number of worker Pods that share the rate. Absent means one for every 10000 requests per second, and more when they do not keep up.",
        minimum: 1,
        maximum: 500,
        mustBe: "an integer from 1 to 500",
      }),
    ),
    connections: Type.Optional(
      Type.Integer({
        description: "Connections each worker holds open. A connection carries one request at a time. Absent means 64.",
        minimum: 1,
        maximum: 4096,
        mustBe: "an integer from 1 to 4096",
      }),
    ),
    connectionLifetime: Type.Optional(
      duration({
        description:
          "Connections are closed and opened anew after this time, from 1s to 168h, so that they spread over new endpoints. Absent means never.",
        mustBe: "a duration from 1s to 168h, such as 30s or 5m",
      }),
    ),
    timeout: Type.Optional(
      duration({
        description: "How long a request may take, such as 500ms or 10s, from 1ms to 10m. Absent means 10s.",
        mustBe: "a duration from 1ms to 10m, such as 500ms or 10s",
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          caFrom: Type.Optional(
            valueSource(
              "PEM certificates of the authorities to trust, beside the public ones and the cluster's own (ConfigMap kube-root-ca.crt).",
            ),
          ),
          serverName: Type.Optional(
            Type.String({
              description:
                "The name to ask for (SNI) and to find in the certificate. Absent means <service>.<namespace>.svc.",
              pattern: "^[a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?$",
              maxLength: 253,
              mustBe: "a DNS name of at most 253 characters",
            }),
          ),
          insecureSkipVerify: Type.Optional(
            Type.Boolean({
              description: "Accept any certificate. For tests of servers that nobody else trusts either.",
              mustBe: "true or false",
            }),
          ),
          clientCertificateFrom: Type.Optional(ClientCertificateSource),
        },
        {
          additionalProperties: false,
          description: "How the Service's certificate is verified. Only with scheme https.",
          mustBe: "an object, and only with scheme https",
        },
      ),
    ),
    thresholds: Type.Optional(Thresholds),
    state: Type.Optional(
      oneOf(states, {
        description:
          "Running: the load goes on. Paused: nothing is sent and the clock of the schedule stands still, until it is Running again. Stopped: the run ends, with the results so far. Absent means Running.",
        mustBe: "Running, Paused or Stopped",
      }),
    ),
    runID: Type.Optional(
      Type.String({
        description:
          "Any word. Another one makes a finished LoadTest run again, with results of its own; one whose load has begun comes to the end of its run first.",
        maxLength: 63,
        pattern: "^[a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?$",
        mustBe: "letters, digits and '-', '_' or '.' between them, 63 at most",
      }),
    ),
    startDeadline: Type.Optional(
      duration({
        description:
          "A run whose load has not begun so long after it was asked for is given up, from 1s to 168h. Absent means never.",
        mustBe: "a duration from 1s to 168h, such as 5m",
      }),
    ),
    ttlAfterFinished: Type.Optional(
      duration({
        description:
          "The LoadTest is deleted, results included, so long after it has finished, from 0s to 8760h. Absent means never.",
        mustBe: "a duration from 0s to 8760h, such as 1h",
      }),
    ),
    podTemplate: Type.Optional(PodTemplate),
  },
  {
    additionalProperties: false,
    description: "The load that is wanted.",
    mustBe: "an object with at least the fields service (or canary), scheme and requestsPerSecond",
  },
);
export type LoadTestSpec = Static<typeof LoadTestSpec>;

/** A LoadTest as a client sends it. `status` is not the client's to set, so its content is not looked at. */
export const LoadTestManifest = Type.Object(
  {
    apiVersion: Type.Literal(apiVersion, { mustBe: apiVersion }),
    kind: Type.Literal("LoadTest", { mustBe: "LoadTest" }),
    metadata: clientMetadata({
      pattern: dnsLabel,
      maxLength: nameMaxLength,
      mustBe: `a DNS label (lower-case letters, digits and '-') of at most ${nameMaxLength} characters`,
    }),
    spec: LoadTestSpec,
    status: Type.Optional(Type.Object({}, { mustBe: "an object" })),
  },
  { additionalProperties: false, mustBe: "a LoadTest" },
);
export type LoadTestManifest = Static<typeof LoadTestManifest>;

/** A LoadTest as the API server stores it. */
export interface LoadTest {
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    generation: number;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
  };
  spec: LoadTestSpec;
  status?: LoadTestStatus;
}
