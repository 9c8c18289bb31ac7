// `loadtest cert`: certificates for webhook servers, step by step or all at once, and the doctor.
import { Command } from "commander";
import { approveCommand } from "./cert-approve.ts";
import { doctorCommand } from "./cert-doctor.ts";
import { downloadCommand } from "./cert-download.ts";
import { issueCommand } from "./cert-issue.ts";
import { keyCsrCommand } from "./cert-key-csr.ts";
import { renewCommand } from "./cert-renew.ts";
import { requestCommand } from "./cert-request.ts";
import { signCommand } from "./cert-sign.ts";
import type { SubcommandGroup } from "./cli.ts";

const explanations = `
A webhook server of your own gets its certificate in one step:
  loadtest cert issue validating-controller.default
or in the steps that this is made of, which several people may share:
  loadtest cert key-csr validating-controller.default   # makes two files
  loadtest cert request validating-controller.default
  loadtest cert approve validating-controller.default
  loadtest cert sign validating-controller.default      # only with own
  loadtest cert download validating-controller.default --ca-out ca.crt
The controller looks after its own certificate; renew asks it for a new one.
`;

export function certCommand(): SubcommandGroup {
  const command = new Command("cert")
    .description("certificates of webhook servers: make, request, approve, sign, download, renew and check them")
    .addHelpText("after", explanations);
  return {
    command,
    subcommands: [
      issueCommand(),
      keyCsrCommand(),
      requestCommand(),
      approveCommand(),
      signCommand(),
      downloadCommand(),
      renewCommand(),
      doctorCommand(),
    ],
  };
}
