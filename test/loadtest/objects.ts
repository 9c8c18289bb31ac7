// Objects by chance, from a seed: LoadTests and Canaries that are well-formed, nearly so, or wrong in one or more ways.
import fc from "fast-check";
import { apiVersion } from "../../lib/loadtest/api-group.ts";

export interface AnyObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
/** Mostly what is right; now and then what is wrong. */
const mostly = <T>(right: fc.Arbitrary<T>, ...wrong: unknown[]) =>
  fc.oneof({ arbitrary: right, weight: 24 }, { arbitrary: fc.constantFrom(...wrong), weight: 1 });
const integer = (least: number, most: number) =>
  mostly(
    fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most)),
    least - 1,
    most + 1,
    least + 0.5,
    String(least),
    -1,
    1e21,
    true,
    {},
    [],
  );

const label = mostly(
  fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/),
  "",
  "A",
  "a_b",
  "-a",
  "a-",
  "a.b",
  "x".repeat(64),
  7,
  "å",
  "a\n",
);
const subdomain = mostly(
  fc.stringMatching(/^[a-z]{1,5}(\.[a-z0-9]{1,5})?$/),
  "",
  "A.b",
  "a..b",
  ".a",
  `${"x".repeat(254)}`,
  3,
);
const duration = mostly(
  fc.oneof(
    fc.integer({ min: 1, max: 900 }).map((n) => `${n}s`),
    fc.integer({ min: 1, max: 3000 }).map((n) => `${n}ms`),
    fc.constantFrom(
      "1h30m",
      "1.5s",
      "0.5m",
      "168h",
      "168h1ns",
      "8760h",
      "8760h1ns",
      "0.9999999999s",
      "1s",
      "999ms",
      "10m",
      "1ms",
      "1µs",
      "2us",
      "1h1m1s",
    ),
  ),
  "",
  "5",
  "-1s",
  "1s ",
  "1d",
  "1e3s",
  ".5s",
  "1.s",
  "99999999999h",
  "0s",
  60,
);
const path = mostly(
  fc.constantFrom("/", "/index.html", "/a?b=c&d=%20", `/${"x".repeat(1023)}`),
  "index.html",
  "",
  "/a b",
  "/ä",
  "/#x",
  `/${"x".repeat(1024)}`,
  "/a\r\nX: y",
  9,
);
const keyReference = mostly(
  fc.record({
    name: subdomain,
    key: mostly(fc.constantFrom("ca.crt", "tls.crt", ".dotted"), "", "a b", ".", "..", "..a"),
  }),
  {},
  { name: "a" },
);
const valueSource = mostly(
  fc.oneof(
    keyReference.map((secretKeyRef) => ({ secretKeyRef })),
    keyReference.map((configMapKeyRef) => ({ configMapKeyRef })),
  ),
  {},
  { secretKeyRef: { name: "a", key: "b" }, configMapKeyRef: { name: "a", key: "b" } },
  null,
);
const header = mostly(
  fc
    .tuple(
      mostly(
        fc.constantFrom("Accept", "X-Id", "Cookie"),
        "Content-Length",
        "transfer-encoding",
        "A B",
        "",
        "Ü",
        "x".repeat(129),
      ),
      fc.oneof(
        {
          arbitrary: mostly(fc.constantFrom("", "a", "a b\tc"), "a\r\nb", "ü", "x".repeat(4097), 1).map((value) => ({
            value,
          })),
          weight: 4,
        },
        { arbitrary: valueSource.map((valueFrom) => ({ valueFrom })), weight: 2 },
      ),
      mostly(fc.constant({}), { value: "too much" }, { valueFrom: null }),
    )
    .map(([name, value, more]) => ({ name, ...value, ...(more as object) })),
  {},
  "Accept: a",
);
const request = mostly(
  fc
    .record({
      path,
      method: maybe(mostly(fc.constantFrom("GET", "HEAD", "POST", "DELETE"), "get", "CONNECT", "")),
      headers: maybe(fc.array(header, { maxLength: 3 })),
      body: maybe(mostly(fc.constantFrom("", "a=b", "ü".repeat(100)), "x".repeat(32_769), 5, {})),
      bodyFrom: fc.option(valueSource, { nil: undefined, freq: 1 }),
      weight: maybe(integer(1, 1000)),
      expectStatus: maybe(fc.array(integer(200, 599), { minLength: 1, maxLength: 3 })),
    })
    .map(defined),
  {},
  null,
  "/",
);
const tls = mostly(
  fc
    .record({
      caFrom: maybe(
        fc.record({ configMapKeyRef: maybe(keyReference), secretKeyRef: maybe(keyReference) }).map(defined),
      ),
      serverName: maybe(mostly(fc.constantFrom("web.example", "A"), "not a name", "", "a_b", "x".repeat(254))),
      insecureSkipVerify: maybe(mostly(fc.boolean(), "true", 1)),
      clientCertificateFrom: maybe(
        mostly(
          subdomain.map((name) => ({ secretRef: { name } })),
          {},
          { secretRef: {} },
          { secretKeyRef: { name: "a", key: "b" } },
        ),
      ),
    })
    .map(defined),
  [],
  true,
);
const stage = mostly(fc.record({ duration, requestsPerSecond: integer(0, 1_000_000) }), {}, { duration: "5s" }, 5);
const limit = mostly(
  fc.oneof(duration, fc.constantFrom("1us", "250ms", "10m")) as fc.Arbitrary<unknown>,
  "999ns",
  "10m1ns",
  1,
);
const percent = mostly(
  fc.constantFrom<unknown>("0%", "0.1%", "99%", "99.95%", "100%", "100.0%"),
  "100.1%",
  "101%",
  "5",
  ".5%",
  "-1%",
  "1 %",
  "1%\n",
  0.01,
  "",
);
const thresholds = mostly(
  fc
    .record({
      latency: maybe(
        mostly(fc.record({ p50: maybe(limit), p99: maybe(limit), p999: maybe(limit) }).map(defined), { p98: "1s" }, 1),
      ),
      errorRate: maybe(percent),
      minRate: maybe(percent),
      abortOnFailure: maybe(mostly(fc.boolean(), "true", 1)),
    })
    .map(defined),
  [],
  "p99",
);
const labels = mostly(
  fc.dictionary(
    mostly(
      fc.constantFrom("team", "example.com/team", "a.b"),
      "beta.kuar.com/run",
      "app.kubernetes.io/name",
      "x".repeat(318),
    ) as fc.Arbitrary<string>,
    mostly(fc.constantFrom<unknown>("", "a", "A.b_c-d"), "a b", "x".repeat(64), 1, null, "-a"),
    { maxKeys: 3 },
  ),
  [],
  "a=b",
  Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, "a"])),
);
const amount = mostly(
  fc.constantFrom<unknown>("500m", "1", 1, "256Mi", "1.5", "0"),
  "1 Gi",
  "-1",
  "1e3",
  1.5,
  "",
  null,
  true,
  -1,
);
const amounts = mostly(
  fc.record({ cpu: maybe(amount), memory: maybe(amount), "ephemeral-storage": maybe(amount) }).map(defined),
  { "nvidia.com/gpu": 1 },
  [],
);
const labelSelector = mostly(
  fc.constantFrom<unknown>(
    {},
    { matchLabels: { a: "b" } },
    { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] },
  ),
  { matchExpressions: [{ key: "a", operator: "in" }] },
  { matchLabels: ["a"] },
);
const affinity = mostly(
  fc.record({
    podAntiAffinity: fc.record({
      preferredDuringSchedulingIgnoredDuringExecution: fc.array(
        fc.record({
          weight: integer(1, 100),
          podAffinityTerm: fc.record({
            topologyKey: mostly(fc.constant("kubernetes.io/hostname"), "", "a b"),
            labelSelector,
          }),
        }),
        { maxLength: 2 },
      ),
    }),
  }),
  { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } } },
  { podAffinity: [] },
  { hostAffinity: {} },
);
const podTemplate = mostly(
  fc
    .record({
      labels: maybe(labels),
      annotations: maybe(
        mostly(
          labels,
          { "container.apparmor.security.beta.kubernetes.io/worker": "unconfined" },
          { a: "x".repeat(1025) },
        ),
      ),
      resources: maybe(
        mostly(fc.record({ requests: maybe(amounts), limits: maybe(amounts) }).map(defined), { claims: [] }),
      ),
      nodeSelector: maybe(labels),
      tolerations: maybe(
        fc.array(
          mostly(
            fc.constantFrom<unknown>({}, { operator: "Exists" }, { key: "a", value: "b", effect: "NoExecute" }),
            { effect: "Never" },
            null,
          ),
          { maxLength: 2 },
        ),
      ),
      affinity: maybe(affinity),
      topologySpreadConstraints: maybe(
        fc.array(
          fc.record({
            maxSkew: integer(1, 500),
            topologyKey: mostly(fc.constant("zone"), ""),
            whenUnsatisfiable: mostly(fc.constantFrom("DoNotSchedule", "ScheduleAnyway"), "Never"),
            labelSelector,
          }),
          { maxLength: 2 },
        ),
      ),
      serviceAccountName: maybe(subdomain),
      imagePullSecrets: maybe(
        fc.array(
          subdomain.map((name) => ({ name })),
          { maxLength: 9 },
        ),
      ),
      priorityClassName: maybe(mostly(subdomain, "system-node-critical")),
      runtimeClassName: maybe(subdomain),
      securityContext: maybe(
        mostly(
          fc
            .record({
              runAsUser: maybe(integer(1, 2_147_483_647)),
              fsGroup: maybe(integer(1, 2_147_483_647)),
              supplementalGroups: maybe(fc.array(integer(1, 2_147_483_647), { maxLength: 2 })),
            })
            .map(defined),
          { runAsUser: 0 },
          { runAsNonRoot: false },
          { seLinuxOptions: { type: "spc_t" } },
        ),
      ),
      schedulingGates: maybe(
        fc.array(
          mostly(fc.constantFrom("example.com/gate", "gate"), "", "a/b/c").map((name) => ({ name })),
          { maxLength: 2 },
        ),
      ),
    })
    .map(defined),
  [],
  { hostNetwork: true },
  { containers: [] },
);
const target = fc.oneof(
  { arbitrary: label.map((service) => ({ service })), weight: 6 },
  { arbitrary: subdomain.map((canary) => ({ canary })), weight: 3 },
  { arbitrary: fc.constantFrom({}, { service: "a", canary: "b" }, { service: null }), weight: 1 },
);

const loadTestSpec = fc
  .tuple(
    target,
    fc.record({
      scheme: mostly(fc.constantFrom("http", "https"), "HTTP", "", "ftp", null, 1),
      requestsPerSecond: integer(1, 1_000_000),
      paths: maybe(mostly(fc.array(path, { maxLength: 3 }), Array(33).fill("/"), null, "/", {})),
      requests: fc.option(mostly(fc.array(request, { minLength: 1, maxLength: 3 }), [], {}), {
        nil: undefined,
        freq: 1,
      }),
      port: maybe(integer(1, 65_535)),
      duration: maybe(duration),
      stages: fc.option(mostly(fc.array(stage, { minLength: 1, maxLength: 3 }), [], null), { nil: undefined, freq: 1 }),
      arrivals: maybe(mostly(fc.constantFrom("Constant", "Poisson"), "poisson", "")),
      workers: maybe(integer(1, 500)),
      connections: maybe(integer(1, 4096)),
      connectionLifetime: maybe(duration),
      timeout: maybe(duration),
      tls: fc.option(tls, { nil: undefined, freq: 1 }),
      thresholds: fc.option(thresholds, { nil: undefined, freq: 1 }),
      state: maybe(mostly(fc.constantFrom("Running", "Paused", "Stopped"), "running", "", null)),
      runID: maybe(mostly(fc.constantFrom("1", "run-2", "A.b_c"), "", "-a", "a b", "x".repeat(64), 2)),
      startDeadline: maybe(duration),
      ttlAfterFinished: maybe(duration),
      podTemplate: fc.option(podTemplate, { nil: undefined, freq: 1 }),
    }),
  )
  .map(([where, rest]) => defined({ ...where, ...rest }));

const backend = mostly(fc.record({ service: label, percent: integer(0, 100) }), {}, { service: "a" }, "a", null);
/** Percents that sum to 100, of Services with names of their own. */
const shares = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 15 }).map((cuts) => {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), 100];
  return edges.slice(1).map((edge, i) => ({ service: `s${i}`, percent: edge - (edges[i] as number) }));
});
const canarySpec = fc.record({
  backends: fc.oneof(
    { arbitrary: shares, weight: 3 },
    { arbitrary: fc.array(backend, { maxLength: 4 }), weight: 2 },
    {
      arbitrary: fc.constantFrom<unknown>(
        [],
        null,
        {},
        [
          { service: "a", percent: 90 },
          { service: "b", percent: 20 },
        ],
        [
          { service: "a", percent: 50 },
          { service: "a", percent: 50 },
        ],
        Array.from({ length: 17 }, (_, i) => ({ service: `s${i}`, percent: i < 15 ? 6 : 5 })),
      ),
      weight: 1,
    },
  ),
});

/** Now and then a field too many. */
const withStray = (spec: fc.Arbitrary<Record<string, unknown>>) =>
  fc.oneof(
    { arbitrary: spec, weight: 20 },
    { arbitrary: spec.map((fields) => ({ ...fields, connectoins: 3 })), weight: 1 },
  );
const name = mostly(
  fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/),
  "A",
  "a_b",
  "x".repeat(46),
  "x".repeat(254),
  "-a",
) as fc.Arbitrary<string>;

export const anyLoadTest: fc.Arbitrary<AnyObject> = fc
  .record({ name, spec: withStray(loadTestSpec) })
  .map(({ name, spec }) => ({ apiVersion, kind: "LoadTest", metadata: { name }, spec }));

export const anyCanary: fc.Arbitrary<AnyObject> = fc
  .record({ name, spec: withStray(canarySpec) })
  .map(({ name, spec }) => ({ apiVersion, kind: "Canary", metadata: { name }, spec }));

/** The same objects for the same seed, three LoadTests to a Canary. */
export function objectsByChance(count: number, seed: number): AnyObject[] {
  const any = fc.oneof({ arbitrary: anyLoadTest, weight: 3 }, { arbitrary: anyCanary, weight: 1 });
  return fc.sample(any, { numRuns: count, seed });
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
