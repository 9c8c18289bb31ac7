// `--output text|json`, the same on every subcommand whose result a machine may read.
import { Option } from "commander";

export function outputOption(): Option {
  return new Option("-o, --output <format>", "format of the result").choices(["text", "json"]).default("text");
}
