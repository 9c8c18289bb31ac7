// A request of a LoadTest: what `paths` says in short and `requests` in full.
import Type, { type Static } from "typebox";
import { oneOf } from "./one-of.ts";
import { valueSource } from "./value-source.ts";

/** What may stand in a request line as its target. */
export const pathPattern = '^/[!"$-~]*$';
export const pathMaxLength = 1024;
export const pathMustBe =
  "a path that begins with '/', of at most 1024 printable ASCII characters without spaces and '#'";

const HttpHeader = Type.Object(
  {
    name: Type.String({
      description:
        "Name of the field. Content-Length, Transfer-Encoding, TE, Trailer, Expect and Upgrade are the driver's own.",
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      maxLength: 128,
      mustBe: "the name of a header field, of at most 128 characters",
    }),
    value: Type.Optional(
      Type.String({
        description: "Value of the field: printable ASCII characters.",
        pattern: "^[\\t -~]*$",
        maxLength: 4096,
        mustBe: "at most 4096 printable ASCII characters",
      }),
    ),
    valueFrom: Type.Optional(valueSource("Where the value stands, instead of value; read when a worker starts.")),
  },
  {
    additionalProperties: false,
    description: "A header field.",
    mustBe: "an object with the fields name and value (or valueFrom)",
  },
);

export const HttpRequest = Type.Object(
  {
    path: Type.String({
      description: "What to request, with its query.",
      pattern: pathPattern,
      maxLength: pathMaxLength,
      mustBe: pathMustBe,
    }),
    method: Type.Optional(
      oneOf(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], {
        description: "Absent means GET.",
        mustBe: "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
      }),
    ),
    headers: Type.Optional(
      Type.Array(HttpHeader, {
        description: "Header fields, beside Host and User-Agent, which a field given here replaces.",
        maxItems: 32,
        "x-kubernetes-list-type": "atomic",
        mustBe: "a list of at most 32 header fields",
      }),
    ),
    body: Type.Optional(
      Type.String({
        description: "The body, sent with its length.",
        maxLength: 32768,
        mustBe: "a text of at most 32768 characters",
      }),
    ),
    bodyFrom: Type.Optional(valueSource("Where the body stands, instead of body; read when a worker starts.")),
    weight: Type.Optional(
      Type.Integer({
        description: "How often the request comes in comparison with the others. Absent means 1.",
        minimum: 1,
        maximum: 1000,
        mustBe: "an integer from 1 to 1000",
      }),
    ),
    expectStatus: Type.Optional(
      Type.Array(Type.Integer({ minimum: 200, maximum: 599, mustBe: "a status code from 200 to 599" }), {
        description: "The status codes that complete the request; any other is a failure. Absent means 200 to 399.",
        minItems: 1,
        maxItems: 16,
        "x-kubernetes-list-type": "atomic",
        mustBe: "a list of 1 to 16 status codes",
      }),
    ),
  },
  {
    additionalProperties: false,
    description: "A request.",
    mustBe: "an object with at least the field path",
  },
);
export type HttpRequest = Static<typeof HttpRequest>;
