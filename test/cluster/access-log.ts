// nginx as the target on the cluster under test, and its access log: what the server itself says was asked of it.
import { join } from "node:path";
import { linesOf } from "../binary/process.ts";
import { kubeconfig, kubectl, spawnKubectl } from "./kubectl.ts";

const root = join(import.meta.dir, "../..");

export interface Access {
  /** When the response was sent, to the millisecond. */
  atSeconds: number;
  path: string;
  status: string;
  /** Number of the connection. */
  connection: string;
  /** By which it was called. */
  host: string;
  /** Of the client. */
  address: string;
}

/** Makes the namespace, if need be, and in it nginx as the Service my-service, and waits until it answers. */
export async function startNginx(namespace: string): Promise<void> {
  const path = `${join(kubeconfig, "../bin")}:${process.env["PATH"]}`;
  const env = { ...process.env, KUBECONFIG: kubeconfig, PATH: path };
  const up = Bun.spawn([join(root, "test/cluster/nginx/up"), namespace], { env, stderr: "pipe", stdout: "ignore" });
  if ((await up.exited) !== 0) throw new Error(await up.stderr.text());
}

/** The requests of the time since then, such as `10s`, in the order in which they were answered. */
export async function accessLog(namespace: string, since = "10m"): Promise<Access[]> {
  const text = await kubectl(["logs", "deployment/my-service", "-n", namespace, `--since=${since}`]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseAccess);
}

/** The requests from now on, as they come: for who waits for one. */
export class FollowedLog {
  readonly entries: Access[] = [];
  readonly #kubectl: Bun.Subprocess<"ignore", "pipe", "inherit">;

  constructor(namespace: string) {
    this.#kubectl = spawnKubectl(["logs", "deployment/my-service", "-n", namespace, "--follow", "--since=1s"]);
    void this.#follow();
  }

  async stop(): Promise<void> {
    this.#kubectl.kill();
    await this.#kubectl.exited;
  }

  async #follow(): Promise<void> {
    for await (const line of linesOf(this.#kubectl.stdout)) this.entries.push(parseAccess(line));
  }
}

function parseAccess(line: string): Access {
  const [at, path = "", status = "", connection = "", host = "", address = ""] = line.split(" ");
  return { atSeconds: Number(at), path, status, connection, host, address };
}

/** Without the requests before the load, one for each path and host. */
export function afterPreflight(log: readonly Access[]): Access[] {
  const first = (access: Access) => log.findIndex(({ path, host }) => path === access.path && host === access.host);
  return log.filter((access, index) => first(access) !== index);
}
