// `loadtest cert download`: the certificate of a CertificateSigningRequest, checked before it is written.
import { dirname, join } from "node:path";
import { Command } from "commander";
import { decodeText } from "../cert/base64.ts";
import { findIssuer, type Issuer, issuedProblem } from "../cert/issuer.ts";
import { certificateFile, keyFile, replacePublicFile } from "../cert/key-files.ts";
import type { AuthorityPlace } from "../cert/own-signer.ts";
import { kubeletServing } from "../cert/signers.ts";
import { getSigningRequest, waitForCertificate } from "../cert/signing-requests.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Connection } from "../kube/connection.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { joinBundle } from "../pki/bundle.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { readSigningRequest } from "../pki/signing-request.ts";
import { readTextFile, readTextFileIfPresent } from "../runtime/files.ts";
import { writeOut } from "../runtime/output.ts";
import {
  type AuthorityFlags,
  addAuthorityOption,
  authorityNamespaceHelp,
  authorityPlace,
  tell,
  timeoutOption,
} from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends KubeFlags, AuthorityFlags {
  namespace?: string;
  out: string;
  key?: string;
  /** ns */
  timeout: number;
  caFile?: string;
  caOut?: string;
  output: "text" | "json";
}

export interface Download {
  name: string;
  place: AuthorityPlace;
  timeoutMs: number;
  /** Where the certificate goes. */
  out: string;
  /** The key of the certificate; undefined: `server.key` beside it, if that is there. */
  key: string | undefined;
  /** The authority to check against; undefined: what is known of the signer. */
  caFile: string | undefined;
  /** Where the authority goes. */
  caOut: string | undefined;
}

export const caFileFlag = [
  "--ca-file <file>",
  "PEM certificates of the signer's authority, to check against (default: what is known of the signer)",
] as const;

const explanations = `
Nothing is written unless the certificate is what was asked for: in date, for
servers, for every name of the request, for the key if it is at hand, and signed
by the authority of the signer: for own that of the Secret, for kubelet-serving
the cluster's CA (ConfigMap kube-root-ca.crt), for another signer --ca-file.
`;

export function downloadCommand(): Subcommand {
  const command = addKubeFlags(
    addAuthorityOption(
      new Command("download")
        .description("wait for a certificate, check it and write it to a file")
        .argument("<name>", "of the CertificateSigningRequest")
        .option("--out <file>", "where the certificate chain goes", certificateFile)
        .option("--key <file>", `its private key, to check against (default: ${keyFile} beside --out, if it is there)`)
        .option(...caFileFlag)
        .option("--ca-out <file>", "where the authority goes, for the caBundle of a webhook")
        .addOption(timeoutOption("how long to wait for the certificate", "30s")),
    ),
    authorityNamespaceHelp,
  )
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => downloadFromFlags(command.args[0] as string, command.opts<Flags>()) };
}

async function downloadFromFlags(name: string, flags: Flags): Promise<ExitCode> {
  const connection = await connectionFromFlags(flags);
  const { out, key, caFile, caOut, timeout } = flags;
  const place = authorityPlace(flags, connection);
  const chainPem = await download(connection, { name, place, timeoutMs: timeout / 1e6, out, key, caFile, caOut });
  writeOut(describeIssued(chainPem, flags.output, { certificate: out, ...(caOut === undefined ? {} : { ca: caOut }) }));
  return ExitCode.Passed;
}

/** Writes certificate and authority once both have been checked; resolves with the certificate chain. */
export async function download(connection: Connection, wish: Download): Promise<string> {
  const { name, place, timeoutMs, out, caFile, caOut } = wish;
  const client = new HttpKubeClient(connection);
  const { spec } = await getSigningRequest(client, name);
  const names = await readSigningRequest(decodeText(spec.request));
  const chainPem = await waitForCertificate(client, name, timeoutMs);
  const issuer = await issuerOf(client, connection, spec.signerName, place, caFile);
  if (issuer === undefined && caOut !== undefined) {
    const problem = `the authority of the signer ${spec.signerName} is not known, must be given with --ca-file`;
    throw new Error(`Cannot write "${caOut}": ${problem}`);
  }
  const key = wish.key ?? join(dirname(out), keyFile);
  const keyPem = wish.key === undefined ? readTextFileIfPresent(key) : await readTextFile(wish.key);
  const problem = issuedProblem({ chainPem, names, keyPem, issuer });
  if (problem !== undefined) {
    const hint = spec.signerName === kubeletServing ? "; the signer own works on every cluster" : "";
    throw new Error(`Cannot use the certificate of "${name}": ${problem}${hint}`);
  }
  replacePublicFile(out, chainPem);
  const against = [keyPem === undefined ? [] : [key], issuer === undefined ? [] : [issuer.source]].flat();
  if (against.length > 0) tell(`checked against ${against.join(" and ")}`);
  if (issuer === undefined) {
    tell(`warning: who has signed it was not checked: the authority of ${spec.signerName} is not known, see --ca-file`);
  } else if (caOut !== undefined) replacePublicFile(caOut, joinBundle([issuer.bundlePem]));
  return chainPem;
}

/** A certificate, for people or machines. */
export function describeIssued(chainPem: string, output: "text" | "json", files: Record<string, string>): string {
  const { serialNumber, dnsNames, ipAddresses, notAfterMs, issuerCommonName: issuer } = describeCertificate(chainPem);
  const notAfter = new Date(notAfterMs).toISOString();
  const certificate = { serialNumber, dnsNames, ipAddresses, issuer, notAfter, files };
  if (output === "json") return `${JSON.stringify(certificate)}\n`;
  const lines = [
    `certificate  ${serialNumber}, by ${issuer}`,
    `names        ${[...dnsNames, ...ipAddresses].join(", ")}`,
    `good until   ${notAfter}`,
    `files        ${Object.values(files).join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

async function issuerOf(
  client: KubeClient,
  connection: Connection,
  signerName: string,
  place: AuthorityPlace,
  caFile: string | undefined,
): Promise<Issuer | undefined> {
  if (caFile !== undefined) return { bundlePem: await readTextFile(caFile), source: caFile };
  const { tls } = await connection.credentials.current();
  return findIssuer(client, signerName, place, tls.ca);
}
