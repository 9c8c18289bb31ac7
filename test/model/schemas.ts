// What the CustomResourceDefinitions say of what the controller writes. A LoadTest's spec is its user's, and judged at its
// admission.
import Ajv, { type ValidateFunction } from "ajv";
import type { Resource } from "../../lib/kube/resource.ts";
import { LoadTestResultData } from "../../lib/loadtest/load-test-result.ts";
import { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { openApiSchema } from "../../lib/manifest/custom-resource.ts";

/** RFC 3339: no year of more digits. */
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const ajv = new Ajv({ strict: false, formats: { "date-time": dateTime } });
const status = openApiSchema(LoadTestStatus);
const validators: Readonly<Record<string, ValidateFunction>> = {
  loadtests: ajv.compile({ type: "object", properties: { status } }),
  loadtestresults: ajv.compile(openApiSchema(LoadTestResultData)),
};

/** The field that keeps the API server from storing the object, and why; undefined: it stores it. */
export function schemaProblem({ plural }: Resource, object: unknown): [field: string, why: string] | undefined {
  const isWellFormed = validators[plural];
  if (isWellFormed === undefined || isWellFormed(JSON.parse(JSON.stringify(object)))) return undefined;
  const [error] = isWellFormed.errors ?? [];
  return [error?.instancePath.slice(1).replaceAll("/", ".") ?? "", `Invalid value: ${error?.message}`];
}
