// A file with one LoadTest and, where it names one, its Canary, as `loadtest run -f` takes it. Other kinds are passed over.
import type { CanaryManifest, CanarySpec } from "../loadtest/canary.ts";
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import { readDocuments } from "../loadtest/documents.ts";
import { formatFieldError } from "../loadtest/field-error.ts";
import { canaryKind, type Kind, kindOf, loadTestKind } from "../loadtest/kind.ts";
import type { LoadTestManifest } from "../loadtest/load-test.ts";
import { readTextFile } from "../runtime/files.ts";
import { UsageError } from "./exit-code.ts";

/** The LoadTest in a file, - being stdin. Rejects with a UsageError that names all that is wrong with it. */
export async function readLoadTestFile(
  file: string,
): Promise<{ namespace: string; spec: EffectiveSpec; canary: CanarySpec | undefined }> {
  const documents = readDocuments(await readTextFile(file));
  for (const { problem } of documents) {
    if (problem !== undefined) throw new UsageError(`Cannot read "${file}": ${problem}`);
  }
  const objects = documents.map(({ object }) => object);
  const isCanary = (object: unknown) => kindOf(object) === canaryKind;
  const loadTests = objects.filter((object) => kindOf(object) === loadTestKind);
  if (loadTests.length !== 1) {
    throw new UsageError(`Cannot run "${file}": it holds ${loadTests.length} LoadTests, must hold one`);
  }
  const { metadata, spec } = judged(file, loadTestKind, loadTests[0]) as LoadTestManifest;
  const canaries = objects.filter(isCanary).map((object) => judged(file, canaryKind, object) as CanaryManifest);
  const canary = canaries.find((one) => one.metadata.name === spec.canary);
  if (spec.canary !== undefined && canary === undefined) {
    throw new UsageError(`Cannot run "${file}": spec.canary is "${spec.canary}", must be a Canary in the same file`);
  }
  return { namespace: metadata.namespace ?? "default", spec: effectiveSpec(spec), canary: canary?.spec };
}

/** The object as the API server reads it. Throws a UsageError unless it is well-formed. */
function judged(file: string, { kind, judge }: Kind, given: unknown): unknown {
  const { object, errors } = judge(given);
  if (errors.length === 0) return object;
  const lines = errors.map((error) => `\n  ${formatFieldError(error)}`).join("");
  throw new UsageError(`Cannot run "${file}": it is no well-formed ${kind}${lines}`);
}
