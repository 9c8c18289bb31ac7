// What several of the subcommands of `loadtest cert` take.
import { type Command, InvalidArgumentError, Option } from "commander";
import { type AuthorityPlace, defaultSecretName, foreignSecretNames } from "../cert/own-signer.ts";
import { type ServerNames, serverNames, withMoreNames } from "../cert/server-names.ts";
import { kubeletServing, kubeletServingWarning, parseSignerName } from "../cert/signers.ts";
import type { Connection } from "../kube/connection.ts";
import { extensionNamespace } from "../manifest/names.ts";
import { type KeyAlgorithmName, keyAlgorithms } from "../pki/key-algorithm.ts";
import { writeErr } from "../runtime/output.ts";
import { parseDurationFlag } from "./duration-option.ts";
import { UsageError } from "./exit-code.ts";

export interface NameFlags {
  dns?: string[];
  ip?: string[];
}

export interface KeyFlags extends NameFlags {
  keyAlgorithm: KeyAlgorithmName;
  signer: string;
  outDir: string;
  force?: true;
}

export interface AuthorityFlags {
  namespace?: string;
  authoritySecret: string;
}

export const namesHelp = `
How the server is named:
  SERVICE.NAMESPACE   a Service, for all its names: SERVICE.NAMESPACE.svc, which
                      API servers call, SERVICE.NAMESPACE, and
                      SERVICE.NAMESPACE.svc.cluster.local. Exactly two labels,
                      or these two and svc, are always taken as a Service.
  https://HOST...     the host of a URL, a DNS name or an IP address; for a DNS
                      name of two labels, too: https://example.com
  anything else       a DNS name or an IP address as it is
`;

/** The signers, in the --help of what makes use of them. */
export const signersHelp = `
Signers:
  own               this program's own, by cert sign; works on every cluster
  kubelet-serving   ${kubeletServing}: the cluster's CA signs, for a
                    request that poses as a node. Some clusters refuse it (EKS),
                    or sign with another CA than the one that clients know (k3s)
  DOMAIN/NAME       any other, which then must run in the cluster
`;

export const authorityHelp = `
The signer own has an authority that can certify the names of one request, with
all names below them, and nothing else. It is kept in a Secret (ca.crt, ca.key),
never in one of the controller's; it is made when there is none, and replaced
only by --replace-authority. Whoever may read the Secret may certify with it.
`;

export function addKeyOptions(command: Command): Command {
  return command
    .argument("<url|name>", "the server, see below")
    .option("--dns <name...>", "further DNS names")
    .option("--ip <address...>", "further IP addresses")
    .addOption(
      new Option("--key-algorithm <algorithm>", "kind of the key").choices(Object.keys(keyAlgorithms)).default("P-256"),
    )
    .addOption(signerOption())
    .option("--out-dir <folder>", "where to put the files", ".")
    .option("--force", "replace server.key and server.csr when they are there");
}

export function signerOption(): Option {
  return new Option("--signer <signer>", "who is to sign: own, kubelet-serving, or DOMAIN/NAME")
    .argParser(parseSignerFlag)
    .default(parseSignerFlag("own"), "own");
}

export function parseSignerFlag(text: string): string {
  const name = parseSignerName(text);
  if (name !== undefined) return name;
  throw new InvalidArgumentError("It must be own, kubelet-serving, or DOMAIN/NAME such as example.com/servers.");
}

export function expirationOption(): Option {
  return new Option(
    "--expiration <duration>",
    "lifetime to ask for, at least 10m; signers may cut it short (default: the signer's own; 2160h with own)",
  ).argParser(parseDurationFlag("10m", "87600h"));
}

export function timeoutOption(what: string, defaultText: string): Option {
  const parse = parseDurationFlag("1s", "24h");
  return new Option("--timeout <duration>", what).argParser(parse).default(parse(defaultText), defaultText);
}

export function addAuthorityOption(command: Command): Command {
  return command.addOption(
    new Option("--authority-secret <name>", "Secret with the authority of the signer own")
      .argParser((name) => {
        if (!foreignSecretNames.includes(name)) return name;
        throw new InvalidArgumentError("It must be another one: this is the controller's.");
      })
      .default(defaultSecretName),
  );
}

export const authorityNamespaceHelp = `of the authority's Secret (default: ${extensionNamespace}, or the context's when there is no such)`;

export function authorityPlace(flags: AuthorityFlags, connection: Connection): AuthorityPlace {
  const namespaces =
    flags.namespace === undefined ? [extensionNamespace, connection.namespace] : [connection.namespace];
  return { namespaces: [...new Set(namespaces)], secretName: flags.authoritySecret };
}

/** The names that the argument and the flags ask for. */
export function namesFromFlags(text: string, { dns = [], ip = [] }: NameFlags): ServerNames {
  const names = serverNames(text);
  if (typeof names === "string") throw new UsageError(`Cannot name a server "${text}": ${names}`);
  const all = withMoreNames(names, dns, ip);
  if (typeof all === "string") throw new UsageError(`Cannot add a name to "${text}": ${all}`);
  return all;
}

/** Says a line of what goes on, or has. */
export function tell(line: string): void {
  writeErr(`${line}\n`);
}

export function warnOf(signerName: string): void {
  if (signerName === kubeletServing) tell(`warning: ${kubeletServingWarning}`);
}
