// `loadtest cert renew`: asks the running controller for a new certificate, and watches.
import { Command } from "commander";
import { requestRenewal } from "../cert/renewal-request.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { writeOut } from "../runtime/output.ts";
import { tell, timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends KubeFlags {
  ca?: true;
  /** ns */
  timeout: number;
  output: "text" | "json";
}

export function renewCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("renew")
      .description("have the controller replace its serving certificate, and wait for it")
      .option("--ca", "the authority too; done when every caBundle trusts the new one alone")
      .addOption(timeoutOption("how long to wait for the controller", "2m")),
  ).addOption(outputOption());
  return { command, run: () => renew(command.opts<Flags>()) };
}

async function renew(flags: Flags): Promise<ExitCode> {
  const client = new HttpKubeClient(await connectionFromFlags(flags));
  const what = flags.ca === true ? "authority" : "certificate";
  const renewed = await requestRenewal(client, { what, timeoutMs: flags.timeout / 1e6, tell });
  const { serialNumber, issuerCommonName: issuer } = renewed;
  const notAfter = new Date(renewed.notAfterMs).toISOString();
  const isJson = flags.output === "json";
  writeOut(
    isJson
      ? `${JSON.stringify({ serialNumber, issuer, notAfter })}\n`
      : `certificate  ${serialNumber}, by ${issuer}\ngood until   ${notAfter}\n`,
  );
  return ExitCode.Passed;
}
