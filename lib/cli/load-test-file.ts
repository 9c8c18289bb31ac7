// A file with one LoadTest, as `loadtest run -f` takes it.
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import { readDocuments } from "../loadtest/documents.ts";
import { formatFieldError } from "../loadtest/field-error.ts";
import type { LoadTestManifest } from "../loadtest/load-test.ts";
import { validateLoadTest } from "../loadtest/validate.ts";
import { readTextFile } from "../runtime/files.ts";
import { UsageError } from "./exit-code.ts";

/** The LoadTest in a file, - being stdin. Rejects with a UsageError that names all that is wrong with it. */
export async function readLoadTestFile(file: string): Promise<{ namespace: string; spec: EffectiveSpec }> {
  const documents = readDocuments(await readTextFile(file));
  const [document] = documents;
  if (document === undefined || documents.length > 1) {
    throw new UsageError(`Cannot run "${file}": it holds ${documents.length} documents, must hold one LoadTest`);
  }
  if (document.problem !== undefined) throw new UsageError(`Cannot read "${file}": ${document.problem}`);
  const errors = validateLoadTest(document.object);
  if (errors.length > 0) {
    const lines = errors.map((error) => `\n  ${formatFieldError(error)}`).join("");
    throw new UsageError(`Cannot run "${file}": it is no well-formed LoadTest${lines}`);
  }
  const { metadata, spec } = document.object as LoadTestManifest;
  return { namespace: metadata.namespace ?? "default", spec: effectiveSpec(spec) };
}
