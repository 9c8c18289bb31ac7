// The options of the admission endpoint: the same on `webhook`, which serves it alone, and on `controller`.
import { type Command, Option } from "commander";
import type { Log } from "../runtime/log.ts";
import { useFiles } from "../runtime/watched-files.ts";
import type { Admission, AdmissionOptions } from "../webhook/admission.ts";
import { parseDurationFlag } from "./duration-option.ts";
import { UsageError } from "./exit-code.ts";

export interface AdmissionFlags {
  certFile?: string;
  keyFile?: string;
  clientCaFile?: string;
  clientName?: string[];
  callerTokenFile?: string;
  /** ns */
  drain: number;
}

export function addAdmissionFlags(command: Command): Command {
  return command
    .option("--cert-file <file>", "serving certificate with its chain, PEM; read again when it changes")
    .option("--key-file <file>", "private key of the certificate, PEM; read again when it changes")
    .option("--client-ca-file <file>", "answer only clients with a certificate of these authorities, PEM")
    .option("--client-name <name...>", "common names that their certificates may have (default: any)")
    .option("--caller-token-file <file>", "answer only requests with this bearer token")
    .addOption(
      new Option("--drain <duration>", "when told to stop, serve admission on for this long, up to 5m")
        .argParser(parseDurationFlag("0s", "5m"))
        .default(5e9, "5s"),
    );
}

/** Throws a UsageError when the flags need each other. */
export function refuseHalves({ certFile, keyFile, clientCaFile, clientName }: AdmissionFlags): void {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError("Cannot use --cert-file without --key-file, or --key-file without --cert-file: must be both");
  }
  if (clientName !== undefined && clientCaFile === undefined) {
    throw new UsageError("Cannot use --client-name without --client-ca-file: nothing would vouch for the name");
  }
}

export function callerRules({ clientCaFile, clientName }: AdmissionFlags): NonNullable<AdmissionOptions["caller"]> {
  return { needsCertificate: clientCaFile !== undefined, names: clientName };
}

/** Uses what the files hold, now and when they change; returns what ends that. Throws when they will not do now. */
export function followFiles(admission: Admission, flags: AdmissionFlags, log: Log): () => void {
  const { certFile, keyFile, clientCaFile, callerTokenFile } = flags;
  const follow = (files: readonly string[], use: (...texts: string[]) => void) =>
    useFiles(files, use, (error) => log.error({ error: error.message, files }, "cannot use changed files"));
  const ends: (() => void)[] = [];
  if (callerTokenFile !== undefined) ends.push(follow([callerTokenFile], (text) => admission.useCallerToken(text)));
  if (clientCaFile !== undefined) ends.push(follow([clientCaFile], (pem) => admission.useClientAuthorities(pem)));
  if (certFile !== undefined && keyFile !== undefined) {
    ends.push(
      follow([certFile, keyFile], (certPem, keyPem) => {
        const { notAfterMs } = admission.useCertificate({ certPem, keyPem });
        log.info({ notAfter: new Date(notAfterMs).toISOString() }, "serving certificate in use");
      }),
    );
  }
  return () => {
    for (const end of ends) end();
  };
}
