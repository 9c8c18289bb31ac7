// `loadtest completion`: the script by which a shell completes this program's command lines.
import { Argument, Command } from "commander";
import { writeOut } from "../runtime/output.ts";
import type { Subcommand } from "./cli.ts";
import { completionScripts, type Shell } from "./completion-scripts.ts";
import { ExitCode } from "./exit-code.ts";

const explanations = `
For this shell, and for those to come by a line in ~/.bashrc or ~/.zshrc:
  source <(loadtest completion bash)
  source <(loadtest completion zsh)
  loadtest completion fish > ~/.config/fish/completions/loadtest.fish

As a plugin of kubectl, by two links to this binary on the PATH; the second one
is for kubectl's own completion, which must be set up:
  ln -s "$(command -v loadtest)" ~/bin/kubectl-loadtest
  ln -s "$(command -v loadtest)" ~/bin/kubectl_complete-loadtest
`;

export function completionCommand(): Subcommand {
  const command = new Command("completion")
    .description("print the script by which a shell completes commands, flags, contexts and names")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(completionScripts)))
    .addHelpText("after", explanations);
  return {
    command,
    run: async () => {
      writeOut(completionScripts[command.args[0] as Shell]);
      return ExitCode.Passed;
    },
  };
}
