// `loadtest version`: what this binary is.
import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { writeOut } from "../runtime/output.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";

export const version: string = packageJson.version;

export function versionCommand(): Subcommand {
  return {
    command: new Command("version").description("print the version of this binary"),
    run: async () => {
      writeOut(`loadtest ${version} (Bun ${Bun.version})\n`);
      return ExitCode.Passed;
    },
  };
}
