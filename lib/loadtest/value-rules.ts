// The rules of values that stand in Secrets and ConfigMaps.
import type { HttpRequest } from "./http-request.ts";
import type { Rule } from "./rule.ts";
import { hasOneSource } from "./value-source.ts";

interface HasRequests {
  requests?: HttpRequest[];
}

/** Of headers and bodies from elsewhere: each may be a volume of the Pod. */
const mostValues = 32;

const sourcesOf = ({ headers = [], bodyFrom }: HttpRequest) =>
  [...headers.map(({ valueFrom }) => valueFrom), bodyFrom].filter((source) => source !== undefined);

/** CEL: whether all headers `h` and all requests `r` are so. */
const allHeaders = (isSo: string) => `self.all(r, !has(r.headers) || r.headers.all(h, ${isSo}))`;
const oneSource = (source: string) => `has(${source}.configMapKeyRef) != has(${source}.secretKeyRef)`;

export const valueRules: readonly Rule<HasRequests>[] = [
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: allHeaders("has(h.value) != has(h.valueFrom)"),
    mustBe: "with either value or valueFrom in each header",
    isBroken: ({ requests = [] }) =>
      requests.some(({ headers = [] }) =>
        headers.some(({ value, valueFrom }) => (value === undefined) === (valueFrom === undefined)),
      ),
  },
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: "self.all(r, !has(r.body) || !has(r.bodyFrom))",
    mustBe: "without body beside bodyFrom",
    isBroken: ({ requests = [] }) =>
      requests.some(({ body, bodyFrom }) => body !== undefined && bodyFrom !== undefined),
  },
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: `${allHeaders(`!has(h.valueFrom) || ${oneSource("h.valueFrom")}`)} && self.all(r, !has(r.bodyFrom) || ${oneSource("r.bodyFrom")})`,
    mustBe: "with exactly one of configMapKeyRef and secretKeyRef in each valueFrom and bodyFrom",
    isBroken: ({ requests = [] }) => requests.flatMap(sourcesOf).some((source) => !hasOneSource(source)),
  },
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: `self.map(r, (has(r.bodyFrom) ? 1 : 0) + (has(r.headers) ? r.headers.filter(h, has(h.valueFrom)).size() : 0)).sum() <= ${mostValues}`,
    mustBe: `with at most ${mostValues} of valueFrom and bodyFrom together`,
    isBroken: ({ requests = [] }) => requests.flatMap(sourcesOf).length > mostValues,
  },
];
