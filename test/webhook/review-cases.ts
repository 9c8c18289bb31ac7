// Reviews for the fuzz test: valid ones, mutated in their structure and then in their bytes. The same seed and number give
// the same case on every machine.
import { Chance } from "../chance.ts";
import { review } from "./reviews.ts";

export interface Case {
  path: "/validate" | "/mutate";
  body: Buffer;
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const specs: object[] = [
  {},
  { paths: ["/", "/a?b=c"], port: 8443, duration: "90s", workers: 3, connections: 8, timeout: "1.5s" },
  { requests: [{ method: "POST", path: "/", headers: [{ name: "a", value: "b" }], body: "x", weight: 2 }] },
  { stages: [{ duration: "30s", requestsPerSecond: 10 }], arrivals: "Poisson", suspend: true },
  { thresholds: { p99: "250ms", errorRate: "0.1%" }, tls: { caFrom: { configMapKeyRef: { name: "a", key: "b" } } } },
];
const canary = {
  backends: [
    { service: "a", percent: 90 },
    { service: "b", percent: 10 },
  ],
};

const oddNames = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "",
  "0",
  "-",
  "a/b",
  "~1",
];
const names = [
  "uid",
  "request",
  "kind",
  "spec",
  "metadata",
  "name",
  "object",
  "deletionTimestamp",
  "paths",
  "é",
  "\u{1f600}",
];
const oddNumbers = [0, -0, -1, 0.1, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21];
const oddTexts = [
  "",
  " ",
  "\0",
  "\ud800",
  "\udfff\ud800",
  "\u2028",
  "\u202e",
  "\u{10ffff}",
  "e\u0301",
  "__proto__",
  "null",
  "0",
  "1h",
  "99999999999999999999h",
  '"}',
  "\\",
  "a".repeat(5000),
  "%00%",
  "/../..",
  "\r\n\r\n",
];
const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT", "create", ""];

export function reviewCase(seed: number, index: number): Case {
  const chance = new Chance(seed, index);
  const root = JSON.parse(JSON.stringify(validReview(chance, index))) as Json;
  const edits = chance.below(5);
  for (let edit = 0; edit < edits; edit++) mutate(root, chance);
  const text = JSON.stringify(chance.oneIn(50) ? oddValue(chance) : root, null, chance.oneIn(4) ? 1 : 0);
  return { path: chance.pick(["/validate", "/mutate"]), body: mutateBytes(Buffer.from(text), chance) };
}

function validReview(chance: Chance, index: number): object {
  const one = review(`case-${index}`, chance.pick(specs)) as { request: { kind: object; object: object } };
  const { request } = one;
  if (chance.oneIn(4)) {
    Object.assign(request.kind, { kind: "Canary" });
    Object.assign(request.object, { kind: "Canary", spec: canary });
  }
  const isUpdate = chance.oneIn(3);
  const oldObject = isUpdate ? { ...request.object, spec: chance.pick(specs) } : null;
  return { ...one, request: { ...request, operation: isUpdate ? "UPDATE" : chance.pick(operations), oldObject } };
}

/** One edit somewhere within `root`. */
function mutate(root: Json, chance: Chance): void {
  let at = root;
  for (;;) {
    const inner = Object.values(at as object).filter((value) => typeof value === "object" && value !== null);
    if (inner.length === 0 || chance.oneIn(4)) break;
    at = chance.pick(inner) as Json;
  }
  if (Array.isArray(at)) mutateList(at, chance);
  else mutateObject(at as Record<string, Json>, chance);
}

function mutateList(list: Json[], chance: Chance): void {
  const index = chance.below(list.length + 1);
  if (chance.oneIn(3)) list.splice(index, 1);
  else if (chance.oneIn(2)) list.splice(index, 0, copy(chance.pick(list) ?? null));
  else list[index] = oddValue(chance);
}

function mutateObject(object: Record<string, Json>, chance: Chance): void {
  const name = chance.pick(Object.keys(object)) ?? "a";
  const value = object[name] ?? null;
  const kind = chance.below(5);
  if (kind <= 1) delete object[name];
  // Even `__proto__` becomes a member: an assignment would set the prototype.
  if (kind >= 1) {
    const newName = chance.pick([name, name, chance.pick(names), chance.pick(oddNames)]);
    const newValue = chance.oneIn(3) ? copy(value) : oddValue(chance);
    Object.defineProperty(object, newName, { value: newValue, enumerable: true, configurable: true, writable: true });
  }
}

function oddValue(chance: Chance): Json {
  const kind = chance.below(8);
  if (kind === 0) return null;
  if (kind === 1) return chance.oneIn(2);
  if (kind === 2) return chance.pick(oddNumbers);
  if (kind === 3) return chance.pick(oddTexts);
  if (kind === 4) return chance.pick([...operations, "LoadTest", "Canary", "beta.kuar.com/v1", "beta.kuar.com"]);
  if (kind === 5) return Array.from({ length: chance.below(4) }, () => oddValue(chance));
  if (kind === 6) {
    const object = {};
    mutateObject(object, chance);
    return object;
  }
  let nested: Json = "deep";
  for (let depth = chance.below(140); depth > 0; depth--) nested = chance.oneIn(2) ? [nested] : { a: nested };
  return nested;
}

function mutateBytes(bytes: Buffer, chance: Chance): Buffer {
  if (!chance.oneIn(3)) return bytes;
  let mutated = bytes;
  for (let edit = chance.below(3); edit >= 0; edit--) {
    const at = chance.below(mutated.length);
    const until = at + chance.below(20);
    const kind = chance.below(5);
    if (kind === 0)
      mutated = Buffer.from(mutated.map((byte, index) => (index === at ? byte ^ (1 << chance.below(8)) : byte)));
    if (kind === 1) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(until)]);
    if (kind === 2) mutated = mutated.subarray(0, at);
    if (kind === 3) mutated = Buffer.concat([mutated.subarray(0, until), mutated.subarray(at)]);
    if (kind === 4) {
      const text = chance.pick([
        "\ufeff",
        "\0",
        "1e999",
        "-",
        '"',
        "[",
        "}",
        "\\u",
        "\u{1f600}",
        "\xff",
        '{"uid":"x"}',
      ]);
      const added = Buffer.from(text, chance.oneIn(4) ? "latin1" : "utf8");
      mutated = Buffer.concat([mutated.subarray(0, at), added, mutated.subarray(at)]);
    }
  }
  return mutated;
}

function copy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
