import { Command } from "commander";
import type { Subcommand } from "./cli.ts";
export function uninstallCommand(): Subcommand {
  return { command: new Command("uninstall"), run: async () => 0 };
}
