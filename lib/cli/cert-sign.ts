// `loadtest cert sign`: the extension's own signer, worked by hand.
import { Command } from "commander";
import { signRequest } from "../cert/own-signer.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import {
  type AuthorityFlags,
  addAuthorityOption,
  authorityHelp,
  authorityNamespaceHelp,
  authorityPlace,
  tell,
} from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";

interface Flags extends KubeFlags, AuthorityFlags {
  namespace?: string;
  replaceAuthority?: true;
}

export const replaceAuthorityFlag = [
  "--replace-authority",
  "put a new authority in the place of one that cannot certify these names; what that one has signed is no longer trusted",
] as const;

export function signCommand(): Subcommand {
  const command = addKubeFlags(
    addAuthorityOption(
      new Command("sign")
        .description("sign an approved CertificateSigningRequest of the signer own")
        .argument("<name>", "of the CertificateSigningRequest"),
    ).option(...replaceAuthorityFlag),
    authorityNamespaceHelp,
  ).addHelpText("after", authorityHelp);
  return { command, run: () => sign(command.args[0] as string, command.opts<Flags>()) };
}

async function sign(name: string, flags: Flags): Promise<ExitCode> {
  const connection = await connectionFromFlags(flags);
  const place = authorityPlace(flags, connection);
  const options = { place, replaceAuthority: flags.replaceAuthority === true, tell };
  await signRequest(new HttpKubeClient(connection), name, options);
  return ExitCode.Passed;
}
