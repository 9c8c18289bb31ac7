// `loadtest cert request`: the CertificateSigningRequest of a request.
import { Command } from "commander";
import { requestFile } from "../cert/key-files.ts";
import { requestProblem } from "../cert/signers.ts";
import { type CertificateSigningRequest, desiredSigningRequest, requestCertificate } from "../cert/signing-requests.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { renderYaml } from "../manifest/yaml.ts";
import { isRsa } from "../pki/key-algorithm.ts";
import { readSigningRequest } from "../pki/signing-request.ts";
import { readTextFile } from "../runtime/files.ts";
import { writeOut } from "../runtime/output.ts";
import { expirationOption, signerOption, signersHelp, tell, warnOf } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";

interface Flags extends KubeFlags {
  csr: string;
  signer: string;
  /** ns */
  expiration?: number;
  print?: true;
}

export function requestCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("request")
      .description("ask the cluster for a certificate, by a CertificateSigningRequest")
      .argument("<name>", "of the CertificateSigningRequest, such as validating-controller.default")
      .option("--csr <file>", "the request, PEM; - is stdin", requestFile)
      .addOption(signerOption())
      .addOption(expirationOption())
      .option("--print", "write the object as YAML, and create nothing"),
  ).addHelpText("after", signersHelp);
  return { command, run: () => request(command.args[0] as string, command.opts<Flags>()) };
}

async function request(name: string, flags: Flags): Promise<ExitCode> {
  const { signer: signerName, csr, expiration } = flags;
  const object = await readWish(name, csr, signerName, expiration);
  warnOf(signerName);
  if (flags.print === true) {
    writeOut(renderYaml([object]));
    return ExitCode.Passed;
  }
  const outcome = await requestCertificate(new HttpKubeClient(await connectionFromFlags(flags)), object);
  tell(`${outcome} CertificateSigningRequest "${name}" for the signer ${signerName}`);
  return ExitCode.Passed;
}

/** The object to create for the request in a file. Rejects when the signer would not sign it. */
export async function readWish(
  name: string,
  file: string,
  signerName: string,
  expirationNs: number | undefined,
): Promise<CertificateSigningRequest> {
  const requestPem = await readTextFile(file);
  const request = await readSigningRequest(requestPem).catch((cause: unknown) => {
    throw new Error(`Cannot request a certificate by "${file}"`, { cause });
  });
  const problem = requestProblem(signerName, request);
  if (problem !== undefined) throw new Error(`Cannot request a certificate by "${file}": ${problem}`);
  return desiredSigningRequest({
    name,
    requestPem,
    signerName,
    isRsa: isRsa(request.publicKey),
    ...(expirationNs === undefined ? {} : { expirationSeconds: Math.floor(expirationNs / 1e9) }),
  });
}
