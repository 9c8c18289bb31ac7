// `loadtest cert approve`: says yes to a CertificateSigningRequest.
import { Command } from "commander";
import { decodeText } from "../cert/base64.ts";
import { approveRequest, getSigningRequest } from "../cert/signing-requests.ts";
import type { KubeClient } from "../kube/client.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { readSigningRequest } from "../pki/signing-request.ts";
import { tell } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";

export function approveCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("approve")
      .description("approve a CertificateSigningRequest, so that its signer may sign it")
      .argument("<name>", "of the CertificateSigningRequest"),
  );
  return {
    command,
    run: async () => {
      const client = new HttpKubeClient(await connectionFromFlags(command.opts<KubeFlags>()));
      await approve(client, command.args[0] as string);
      return ExitCode.Passed;
    },
  };
}

/** Approves, and says what. */
export async function approve(client: KubeClient, name: string): Promise<void> {
  const object = await getSigningRequest(client, name);
  const { spec } = object;
  const { dnsNames, ipAddresses } = await readSigningRequest(decodeText(spec.request));
  const names = [...dnsNames, ...ipAddresses].join(", ") || "no names";
  const outcome = await approveRequest(client, object);
  tell(`${outcome}: "${name}" of ${spec.username ?? "somebody"}, to be signed by ${spec.signerName} for ${names}`);
}
