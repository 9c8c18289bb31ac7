// `loadtest cert doctor`: which signers can be used here, and how the certificates are.
import { Command } from "commander";
import { examine, type WantedSigner } from "../cert/doctor.ts";
import { kubeletServing } from "../cert/signers.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { ownSigner } from "../manifest/names.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import { parseSignerFlag } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { formatFindings, isHealthy } from "./finding-text.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends KubeFlags {
  signer?: string[];
  probe: boolean;
  output: "text" | "json";
}

const explanations = `
For each signer: your rights, then a request for a certificate of ten minutes,
approved, waited for (5 s at most), checked and deleted. Then the extension's
certificates: a warning when less than 30 days or a third of the life are left.
A signer named with --signer that cannot be used is a failure, and so is own;
kubelet-serving, which nobody needs, is a warning. Exit code 1 with a failure.
`;

export function doctorCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("doctor")
      .description("say which signers this cluster can use for webhooks, and until when certificates are good")
      .option(
        "--signer <signer...>",
        "look at these signers too, DOMAIN/NAME",
        (text: string, former: string[] | undefined) => [...(former ?? []), parseSignerFlag(text)],
      )
      .option("--no-probe", "make no request: the rights alone are looked at"),
  )
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => diagnose(command.opts<Flags>()) };
}

async function diagnose(flags: Flags): Promise<ExitCode> {
  const connection = await connectionFromFlags(flags);
  const { tls } = await connection.credentials.current();
  const findings = await examine(new HttpKubeClient(connection), {
    signers: wantedSigners(flags.signer ?? []),
    probe: flags.probe,
    kubeconfigCa: tls.ca,
    stop: stopSignal(),
  });
  const healthy = isHealthy(findings);
  writeOut(flags.output === "json" ? `${JSON.stringify({ healthy, findings }, null, 2)}\n` : formatFindings(findings));
  return healthy ? ExitCode.Passed : ExitCode.Failed;
}

function wantedSigners(named: readonly string[]): WantedSigner[] {
  const names = new Set([ownSigner, kubeletServing, ...named]);
  return [...names].map((signerName) => ({
    signerName,
    isNeeded: signerName !== kubeletServing || named.includes(signerName),
  }));
}
