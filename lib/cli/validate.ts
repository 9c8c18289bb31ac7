// `loadtest validate`: the verdict on files, offline.
import { Command } from "commander";
import { readDocuments } from "../loadtest/documents.ts";
import { type FieldError, formatFieldError } from "../loadtest/field-error.ts";
import { kindOf, loadTestKind } from "../loadtest/kind.ts";
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
  /** What a well-formed object asks for, but may not mean. */
  warnings: string[];
}

export function validateCommand(): Subcommand {
  const command = new Command("validate")
    .description("say what is wrong with LoadTests and Canaries in files, without a cluster")
    .requiredOption("-f, --filename <file...>", "YAML or JSON files; - is stdin")
    .addOption(outputOption());
  return {
    command,
    run: async () => {
      const { filename, output } = command.opts<{ filename: string[]; output: "text" | "json" }>();
      const verdicts = (await Promise.all(filename.map(judgeFile))).flat();
      if (verdicts.length === 0) {
        throw new Error(
          `Cannot validate ${filename.map((file) => `"${file}"`).join(", ")}: no LoadTest and no Canary in there`,
        );
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
    const kind = problem === undefined ? kindOf(object) : loadTestKind;
    const { kind: word, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
    if (kind === undefined) {
      const what = typeof word === "string" ? word : "document without kind";
      writeErr(`${file}: document ${index}: skipped, it is a ${what}\n`);
      continue;
    }
    const { errors, warnings } =
      problem === undefined ? kind.judge(object) : { errors: [unreadable(problem)], warnings: [] };
    const valid = errors.length === 0;
    const name = typeof metadata?.name === "string" ? metadata.name : "";
    verdicts.push({ file, document: index, name, valid, errors, warnings });
  }
  return verdicts;
}

const syntax = "syntax";

function unreadable(problem: string): FieldError {
  return { field: "document", value: problem, rule: syntax, mustBe: "well-formed YAML or JSON" };
}

/** Uncut: it is no value that somebody wrote, but says what is wrong with one. */
function wholeProblem({ field, value, mustBe }: FieldError): string {
  return `${field}: ${value}, must be ${mustBe}`;
}

function formatVerdict({ file, document, name, valid, errors, warnings }: Verdict): string {
  const where = `${file}: document ${document}${name === "" ? "" : ` (${name})`}`;
  const verdict = valid
    ? [`${where}: valid`]
    : errors.map(
        (error) =>
          `${where}: ${error.rule === syntax ? wholeProblem(error) : formatFieldError(error)}  [${error.rule}]`,
      );
  return [...verdict, ...warnings.map((warning) => `${where}: warning: ${warning}`), ""].join("\n");
}
