// `loadtest validate`: the verdict on files, offline.
import { Command } from "commander";
import { readDocuments } from "../loadtest/documents.ts";
import { type FieldError, formatFieldError } from "../loadtest/field-error.ts";
import { apiGroup } from "../loadtest/load-test.ts";
import { validateLoadTest } from "../loadtest/validate.ts";
import { readTextFile } from "../runtime/files.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { outputOption } from "./output-option.ts";

interface Verdict {
  file: string;
  /** Counted from 1. */
  document: number;
  name: string;
  valid: boolean;
  errors: FieldError[];
}

export function validateCommand(): Subcommand {
  const command = new Command("validate")
    .description("say what is wrong with LoadTests in files, without a cluster")
    .requiredOption("-f, --filename <file...>", "YAML or JSON files; - is stdin")
    .addOption(outputOption());
  return {
    command,
    run: async () => {
      const { filename, output } = command.opts<{ filename: string[]; output: "text" | "json" }>();
      const verdicts = (await Promise.all(filename.map(judgeFile))).flat();
      if (verdicts.length === 0) {
        throw new Error(`Cannot validate ${filename.map((file) => `"${file}"`).join(", ")}: no LoadTest in there`);
      }
      if (output === "json") writeOut(`${JSON.stringify(verdicts, null, 2)}\n`);
      else for (const verdict of verdicts) writeOut(formatVerdict(verdict));
      return verdicts.every(({ valid }) => valid) ? ExitCode.Passed : ExitCode.Failed;
    },
  };
}

async function judgeFile(file: string): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { index, object, problem } of readDocuments(await readTextFile(file))) {
    const { kind, apiVersion, metadata } = (object ?? {}) as Record<string, unknown>;
    if (problem === undefined && !isOurs(kind, apiVersion)) {
      writeErr(
        `${file}: document ${index}: skipped, it is a ${typeof kind === "string" ? kind : "document without kind"}\n`,
      );
      continue;
    }
    const errors = problem === undefined ? validateLoadTest(object) : [unreadable(problem)];
    const name = (metadata as { name?: unknown } | undefined)?.name;
    verdicts.push({
      file,
      document: index,
      name: typeof name === "string" ? name : "",
      valid: errors.length === 0,
      errors,
    });
  }
  return verdicts;
}

/** Of our group or called a LoadTest: a slip in one of the two is then an error, not a foreign document. */
function isOurs(kind: unknown, apiVersion: unknown): boolean {
  return kind === "LoadTest" || (typeof apiVersion === "string" && apiVersion.startsWith(`${apiGroup}/`));
}

function unreadable(problem: string): FieldError {
  return { field: "document", value: problem, rule: "syntax", mustBe: "well-formed YAML or JSON" };
}

function formatVerdict({ file, document, name, valid, errors }: Verdict): string {
  const where = `${file}: document ${document}${name === "" ? "" : ` (${name})`}`;
  if (valid) return `${where}: valid\n`;
  return errors.map((error) => `${where}: ${formatFieldError(error)}  [${error.rule}]\n`).join("");
}
