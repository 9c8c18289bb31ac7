// `loadtest cert key-csr`: a key, and a request for its certificate, as files.
import { join } from "node:path";
import { Command } from "commander";
import { keyFile, makeKeyFiles, requestFile } from "../cert/key-files.ts";
import { addKeyOptions, type KeyFlags, namesFromFlags, namesHelp, signersHelp, tell, warnOf } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";

export function keyCsrCommand(): Subcommand {
  const command = addKeyOptions(
    new Command("key-csr").description("make a private key and a certificate request for a server"),
  ).addHelpText("after", namesHelp + signersHelp);
  return { command, run: () => makeKey(command.args[0] as string, command.opts<KeyFlags>()) };
}

async function makeKey(text: string, flags: KeyFlags): Promise<ExitCode> {
  const names = namesFromFlags(text, flags);
  warnOf(flags.signer);
  const { outDir: folder, signer: signerName, keyAlgorithm: algorithm } = flags;
  await makeKeyFiles({ folder, names, signerName, algorithm, force: flags.force === true });
  tell(`made ${join(folder, keyFile)} (${algorithm}) and ${join(folder, requestFile)}`);
  tell(`for ${[...names.dnsNames, ...names.ipAddresses].join(", ")}`);
  return ExitCode.Passed;
}
