// `loadtest cert issue`: from a name to a checked certificate in one step. Each part of it takes what it finds done, so
// that it can be called again after whatever came between.
import { join } from "node:path";
import { Command } from "commander";
import {
  authorityFile,
  certificateFile,
  hasKeyFiles,
  type KeyWish,
  keyFile,
  makeKeyFiles,
  requestFile,
} from "../cert/key-files.ts";
import { signRequest } from "../cert/own-signer.ts";
import { kubeletServing } from "../cert/signers.ts";
import { requestCertificate } from "../cert/signing-requests.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { ownSigner } from "../manifest/names.ts";
import { writeOut } from "../runtime/output.ts";
import { approve } from "./cert-approve.ts";
import { caFileFlag, describeIssued, download } from "./cert-download.ts";
import {
  type AuthorityFlags,
  addAuthorityOption,
  addKeyOptions,
  authorityHelp,
  authorityNamespaceHelp,
  authorityPlace,
  expirationOption,
  type KeyFlags,
  namesFromFlags,
  namesHelp,
  signersHelp,
  tell,
  timeoutOption,
  warnOf,
} from "./cert-options.ts";
import { readWish } from "./cert-request.ts";
import { replaceAuthorityFlag } from "./cert-sign.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends KubeFlags, KeyFlags, AuthorityFlags {
  namespace?: string;
  name?: string;
  /** ns */
  expiration?: number;
  /** ns */
  timeout: number;
  caFile?: string;
  replaceAuthority?: true;
  output: "text" | "json";
}

const againHelp = `
Called again, it goes on where it was left, with the key that is there: for
example once somebody has approved the request, or to fetch what was lost.
`;

export function issueCommand(): Subcommand {
  const command = addKubeFlags(
    addAuthorityOption(
      addKeyOptions(
        new Command("issue").description(
          "key, request, approval, signature and check of a server's certificate in one",
        ),
      )
        .option("--name <name>", "of the CertificateSigningRequest (default: SERVICE.NAMESPACE, or the host)")
        .addOption(expirationOption())
        .option(...caFileFlag),
    )
      .option(...replaceAuthorityFlag)
      .addOption(timeoutOption("how long to wait for the certificate", "30s")),
    authorityNamespaceHelp,
  )
    .addOption(outputOption())
    .addHelpText("after", againHelp + namesHelp + signersHelp + authorityHelp);
  return { command, run: () => issue(command.args[0] as string, command.opts<Flags>()) };
}

async function issue(text: string, flags: Flags): Promise<ExitCode> {
  const names = namesFromFlags(text, flags);
  const { outDir: folder, signer: signerName, keyAlgorithm: algorithm, caFile } = flags;
  const { name = names.objectName } = flags;
  const connection = await connectionFromFlags(flags);
  const client = new HttpKubeClient(connection);
  const place = authorityPlace(flags, connection);
  warnOf(signerName);

  await prepareFiles({ folder, names, signerName, algorithm, force: flags.force === true });
  const outcome = await requestCertificate(
    client,
    await readWish(name, join(folder, requestFile), signerName, flags.expiration),
  );
  tell(`${outcome} CertificateSigningRequest "${name}"`);
  await approve(client, name);
  if (signerName === ownSigner) {
    await signRequest(client, name, { place, replaceAuthority: flags.replaceAuthority === true, tell });
  }
  const [out, key, ca] = [join(folder, certificateFile), join(folder, keyFile), join(folder, authorityFile)];
  const knowsIssuer = caFile !== undefined || signerName === ownSigner || signerName === kubeletServing;
  const caOut = knowsIssuer ? ca : undefined;
  const timeoutMs = flags.timeout / 1e6;
  const chainPem = await download(connection, { name, place, timeoutMs, out, key, caFile, caOut });
  tell(`next: serve with ${out} and ${key}${knowsIssuer ? `, and put ${ca} into the caBundle of the webhook` : ""}`);
  writeOut(describeIssued(chainPem, flags.output, { certificate: out, key, ...(knowsIssuer ? { ca } : {}) }));
  return ExitCode.Passed;
}

async function prepareFiles(wish: KeyWish): Promise<void> {
  const files = `${join(wish.folder, keyFile)} and ${join(wish.folder, requestFile)}`;
  if (!wish.force && (await hasKeyFiles(wish))) return tell(`took ${files}, which are there`);
  await makeKeyFiles(wish);
  tell(`made ${files}`);
}
