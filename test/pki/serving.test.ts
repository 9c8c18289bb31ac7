// The life of the serving certificate in a world of several API servers and replicas, with crashes, delays and races:
// at no time does an API server call a replica whose certificate it does not trust.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Authority, createAuthority } from "../../lib/pki/authority.ts";
import { describeCertificate } from "../../lib/pki/certificate.ts";
import { chainProblem } from "../../lib/pki/chain.ts";
import { issueCertificate } from "../../lib/pki/leaf.ts";
import { nextStep, type Presented, type ServingState, type ServingStep } from "../../lib/pki/serving.ts";

const host = "loadtest.loadtest-system.svc";
const day = 24 * 3600e3;
const startMs = Date.UTC(2030, 0, 1);
const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
let serial = 0x1000;

const makeAuthority = (nowMs: number, days = 730) =>
  createAuthority({
    keys,
    commonName: `authority ${serial}`,
    permittedDnsNames: [host],
    permittedIpAddresses: [],
    serialNumber: (serial++).toString(16),
    notBeforeMs: nowMs - 3600e3,
    notAfterMs: nowMs + days * day,
  });
const issue = (authority: Authority, nowMs: number, days = 90) =>
  issueCertificate(authority, {
    publicKey: keys.publicKey,
    commonName: host,
    dnsNames: [host],
    ipAddresses: [],
    serialNumber: (serial++).toString(16),
    notBeforeMs: nowMs - 3600e3,
    notAfterMs: nowMs + days * day,
  });

const authority = await makeAuthority(startMs);
const chainPem = await issue(authority, startMs);
const oldAuthority = await makeAuthority(startMs);
const oldChainPem = await issue(oldAuthority, startMs);
const { certificatePem: authorityPem } = authority;
const oldPem = oldAuthority.certificatePem;

function state(more: Partial<ServingState> = {}): ServingState {
  return {
    host,
    authorityPem,
    serving: { chainPem, issuerPem: authorityPem },
    registrations: [{ name: "kuar-validator", bundle: [authorityPem], trustedForMs: 60_000 }],
    wanted: { certificate: false, authority: false },
    ...more,
  };
}
const registration = (bundle: string[], trustedForMs = 60_000) => [{ name: "kuar-validator", bundle, trustedForMs }];
const presents = (pem: string): Presented => ({ fingerprint: describeCertificate(pem).fingerprint });
const fromOld = { serving: { chainPem: oldChainPem, issuerPem: oldPem } };
const both = [authorityPem, oldPem];

test.each<[what: string, state: ServingState, afterDays: number, step: Partial<ServingStep>]>([
  ["all in order", state(), 1, { kind: "rest" }],
  ["no authority", state({ authorityPem: undefined }), 1, { kind: "makeAuthority" }],
  ["an expired authority", state(), 731, { kind: "makeAuthority", reason: "it has expired" }],
  ["an authority two thirds through", state(), 487, { kind: "issue" }], // the certificate has expired by then, and comes first
  ["a certificate two thirds through", state(), 61, { kind: "issue", reason: "two thirds of its life are over" }],
  ["no certificate", state({ serving: undefined }), 1, { kind: "issue" }],
  ["no trust", state({ registrations: registration([]) }), 1, { kind: "trust", certificates: [authorityPem] }],
  [
    "trust in the old authority only",
    state({ ...fromOld, registrations: registration([oldPem]) }),
    1,
    { kind: "trust", certificates: both },
  ],
  ["trust that is young", state({ ...fromOld, registrations: registration(both, 9_999) }), 1, { kind: "wait" }],
  ["trust that has settled", state({ ...fromOld, registrations: registration(both, 10_000) }), 1, { kind: "issue" }],
  [
    "young trust, and nothing to serve",
    state({ serving: undefined, registrations: registration(both, 0) }),
    1,
    { kind: "issue" },
  ],
  ["old trust left", state({ registrations: registration(both) }), 1, { kind: "prove" }],
  [
    "a replica behind",
    state({
      registrations: registration(both),
      replicas: new Map([
        ["a", presents(chainPem)],
        ["b", presents(oldChainPem)],
      ]),
    }),
    1,
    { kind: "wait" },
  ],
  [
    "a silent replica",
    state({ registrations: registration(both), replicas: new Map([["a", { silence: "no answer" }]]) }),
    1,
    { kind: "wait" },
  ],
  [
    "every replica new",
    state({ registrations: registration(both), replicas: new Map([["a", presents(chainPem)]]) }),
    1,
    { kind: "trust", certificates: [authorityPem] },
  ],
  ["no registration", state({ registrations: [] }), 1, { kind: "rest" }],
  [
    "a wish for a certificate",
    state({ wanted: { certificate: true, authority: false } }),
    1,
    { kind: "issue", reason: "it was asked for" },
  ],
  [
    "a wish for an authority",
    state({ wanted: { certificate: false, authority: true } }),
    1,
    { kind: "makeAuthority", reason: "it was asked for" },
  ],
  [
    "a wish in the middle of a rotation",
    state({ ...fromOld, registrations: registration(both, 1), wanted: { certificate: true, authority: true } }),
    1,
    { kind: "wait" },
  ],
  ["another name", state({ host: "192.0.2.7" }), 1, { kind: "issue" }],
])("with %s the next step is right", (_, given, afterDays, step) => {
  expect(nextStep(given, startMs + afterDays * day)).toMatchObject(step);
});

/** Several API servers, each late by some time, several replicas, and two keepers that act on what they have read. */
class World {
  nowMs = startMs;
  authority: Authority | undefined = authority;
  serving: ServingState["serving"] = { chainPem, issuerPem: authorityPem };
  wanted = { certificate: false, authority: false };
  /** Written bundles with their instants, of two registrations. */
  bundles: { atMs: number; bundle: readonly string[] }[][] = [1, 2].map(() => [{ atMs: 0, bundle: [authorityPem] }]);
  replicas: { isUp: boolean; chainPem: string | undefined }[];
  #version = 0;
  #trusted: Map<string, number>[] = [new Map(), new Map()];

  constructor(replicas: number) {
    this.replicas = Array.from({ length: replicas }, () => ({ isUp: true, chainPem }));
  }

  newest = (index: number) => this.bundles[index]?.at(-1)?.bundle ?? [];

  /** What keeper `who` reads, and the version of it; proofs are asked for at once. */
  read(who: number): { step: ServingStep; version: number } {
    const authorityPem = this.authority?.certificatePem;
    const before = this.#trusted[who] as Map<string, number>;
    const trusted = new Map<string, number>();
    const registrations = [0, 1].map((index) => {
      const bundle = this.newest(index);
      if (authorityPem === undefined || !bundle.includes(authorityPem))
        return { name: `${index}`, bundle, trustedForMs: 0 };
      const sinceMs = before.get(`${index}${authorityPem}`) ?? this.nowMs;
      trusted.set(`${index}${authorityPem}`, sinceMs);
      return { name: `${index}`, bundle, trustedForMs: this.nowMs - sinceMs };
    });
    this.#trusted[who] = trusted;
    const seen = { host, authorityPem, serving: this.serving, registrations, wanted: this.wanted };
    let step = nextStep(seen, this.nowMs);
    if (step.kind === "prove") {
      const up = this.replicas.filter(({ isUp }) => isUp);
      const replicas = new Map(
        up.map((replica, i): [string, Presented] => [
          `${i}`,
          replica.chainPem === undefined ? { silence: "starting" } : presents(replica.chainPem),
        ]),
      );
      step = nextStep({ ...seen, replicas }, this.nowMs);
    }
    return { step, version: this.#version };
  }

  async write({ step, version }: { step: ServingStep; version: number }): Promise<void> {
    if (version !== this.#version) return; // a Conflict
    if (step.kind === "makeAuthority") this.authority = await makeAuthority(this.nowMs);
    else if (step.kind === "issue" && this.authority !== undefined) {
      this.serving = { chainPem: await issue(this.authority, this.nowMs), issuerPem: this.authority.certificatePem };
    } else if (step.kind === "trust") {
      for (const written of this.bundles) written.push({ atMs: this.nowMs, bundle: step.certificates });
    } else return;
    this.wanted = { certificate: false, authority: false };
    this.#version++;
  }

  /** Whether every API server, the newest and those as late as allowed, trusts what every replica presents. */
  isTrusting(): boolean {
    const up = this.replicas.filter((replica) => replica.isUp && replica.chainPem !== undefined);
    return this.bundles.every((written) => {
      const late = written.findLast(({ atMs }) => atMs <= this.nowMs - 9000);
      return written
        .filter((one) => one === late || one.atMs > this.nowMs - 9000)
        .every(({ bundle }) =>
          up.every(
            (replica) =>
              chainProblem({
                chainPem: replica.chainPem as string,
                bundlePem: bundle.join(""),
                host,
                nowMs: this.nowMs,
              }) === undefined,
          ),
        );
    });
  }
}

const event = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant("keeper" as const), who: fc.nat(1), isSlow: fc.boolean() }), weight: 12 },
  { arbitrary: fc.record({ kind: fc.constant("load" as const), replica: fc.nat(2) }), weight: 8 },
  {
    arbitrary: fc.record({ kind: fc.constantFrom("crash" as const, "start" as const), replica: fc.nat(2) }),
    weight: 2,
  },
  {
    arbitrary: fc.record({ kind: fc.constantFrom("renew" as const, "rotate" as const, "loseAuthority" as const) }),
    weight: 1,
  },
);

test("whatever happens, every certificate that is served is trusted by every API server", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 40, maxLength: 150, size: "max" }), async (events) => {
      const world = new World(3);
      const slow: ReturnType<World["read"]>[] = [];
      const load = (index: number) => {
        const replica = world.replicas[index];
        if (replica?.isUp) replica.chainPem = world.serving?.chainPem;
      };
      for (const happening of events) {
        world.nowMs += 1000;
        if (happening.kind === "keeper") {
          const seen = world.read(happening.who);
          const due = slow.pop();
          if (due !== undefined) await world.write(due); // read long ago: it conflicts unless nothing has changed
          if (happening.isSlow) slow.push(seen);
          else await world.write(seen);
        } else if (happening.kind === "load") load(happening.replica);
        else if (happening.kind === "crash") world.replicas[happening.replica] = { isUp: false, chainPem: undefined };
        else if (happening.kind === "start") {
          const replica = world.replicas[happening.replica];
          if (replica !== undefined && !replica.isUp)
            world.replicas[happening.replica] = { isUp: true, chainPem: undefined };
        } else if (happening.kind === "renew") world.wanted.certificate = true;
        else if (happening.kind === "rotate") world.wanted.authority = true;
        else world.authority = undefined;
        expect(world.isTrusting()).toBe(true);
      }
      // Left alone it comes to rest, with one authority trusted.
      for (let i = 0; i < 60; i++) {
        world.nowMs += 1000;
        await world.write(world.read(0));
        for (const index of world.replicas.keys()) load(index);
        expect(world.isTrusting()).toBe(true);
      }
      expect(world.read(0).step).toEqual({ kind: "rest" });
      expect(world.newest(0)).toEqual([world.authority?.certificatePem as string]);
    }),
    { numRuns: 40 },
  );
}, 120_000);
