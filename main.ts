// Entry point: hands the arguments to the command line and leaves with its exit code.
import { runCli } from "./lib/cli/cli.ts";

process.exit(await runCli(process.argv.slice(2)));
