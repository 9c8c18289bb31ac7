// `--namespaced`, the same on every subcommand that knows an installation for one namespace alone.
import { InvalidArgumentError, Option } from "commander";
import { dnsLabel } from "../loadtest/metadata.ts";

export function namespacedOption(description: string): Option {
  return new Option("--namespaced <namespace>", description).argParser((text) => {
    if (text.length <= 63 && new RegExp(dnsLabel).test(text)) return text;
    throw new InvalidArgumentError(
      "It must be the name of a namespace: lower-case letters, digits and '-', at most 63 characters.",
    );
  });
}
