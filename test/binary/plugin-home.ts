// A home of its own with links to the binary on the PATH, and a kubeconfig of three contexts that nobody answers.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, type Outcome } from "./process.ts";

export const contexts = ["kind-a", "admin@prod:1", "admin@prod:2"];

export class PluginHome {
  readonly #folder = mkdtempSync(join(tmpdir(), "plugin-"));
  /** Where commands run, and $HOME. */
  readonly folder = join(this.#folder, "home");

  constructor() {
    mkdirSync(this.folder);
    for (const name of ["loadtest", "kubectl-loadtest", "kubectl_complete-loadtest"]) {
      symlinkSync(binary, join(this.#folder, name));
    }
    const kubeconfig = {
      "current-context": "kind-a",
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: contexts.map((name) => ({ name, context: { cluster: "c", user: "u" } })),
    };
    writeFileSync(join(this.folder, "config"), JSON.stringify(kubeconfig));
  }

  environment(variables: Record<string, string> = {}): Record<string, string> {
    const PATH = `${this.#folder}:${process.env["PATH"]}`;
    return { PATH, HOME: this.folder, KUBECONFIG: join(this.folder, "config"), ...variables };
  }

  async run(command: string[], variables: Record<string, string> = {}): Promise<Outcome> {
    const env = this.environment(variables);
    const child = Bun.spawn(command, { cwd: this.folder, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
