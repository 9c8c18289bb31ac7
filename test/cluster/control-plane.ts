// Control planes without nodes, for tests of one or several clusters: etcd, kube-apiserver and those controllers that
// namespaces, owners, accounts and certificates need, as processes on free loopback ports with their files in a
// temporary directory. The program is the one that scripts/cluster builds, and a test is skipped where it is missing.
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./kubectl.ts";

export interface ControlPlane {
  /** Path of a kubeconfig of an administrator, with this context alone. */
  readonly kubeconfig: string;
  readonly contextName: string;
  readonly url: string;
  /** kubectl against it: what it printed; throws what it complained about. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** As if the network swallowed everything: connections are accepted, and nothing is answered until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Ends the processes, and removes their files. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Such as `1.31`: the API server behaves like that version. */
  readonly emulatedVersion?: string;
  /** More of the API server's. */
  readonly apiServerFlags?: readonly string[];
}

/** The one program that is all components, by the name that it is called by; it exists where it has been built. */
const program = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  `loadtest/kube-${sourcesHash(["main.go", "go.mod", "go.sum"])}`,
);
/** Why there can be no control plane here; undefined where there can. */
export const missingControlPlane = existsSync(program)
  ? undefined
  : `"${program}" is missing, must be built first (scripts/cluster up)`;

/** As `hash_of` in build.sh makes it. */
function sourcesHash(names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names) hash.update(readFileSync(join(import.meta.dir, "kube", name)));
  return hash.digest("hex").slice(0, 16);
}

const components = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] as const;
type Component = (typeof components)[number];
const controllers = [
  "namespace-controller",
  "garbage-collector-controller",
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "root-ca-certificate-publisher-controller",
  "certificatesigningrequest-signing-controller",
  "clusterrole-aggregation-controller",
  "resourcequota-controller",
];

/** Resolves when it answers and has a default namespace with its account. */
export async function startControlPlane(name: string, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  if (missingControlPlane !== undefined)
    throw new Error(`Cannot start control plane "${name}": ${missingControlPlane}`);
  const directory = mkdtempSync(join(tmpdir(), `control-plane-${name}-`));
  const processes = new Processes(directory);
  try {
    const [client, peer, api, manager] = (await freePorts(4)).map((port) => `127.0.0.1:${port}`) as [
      string,
      string,
      string,
      string,
    ];
    const url = `https://${api}`;
    await writeCertificates(directory);
    const kubeconfig = join(directory, "kubeconfig");
    await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(name, url, directory)), { mode: 0o600 });
    processes.start("etcd", etcdFlags(directory, client, peer));
    processes.start("kube-apiserver", apiServerFlags(directory, client, api, options));
    const kubectl = (args: readonly string[], input = "") => runKubectl(directory, args, input);
    await processes.awaited("API server", () => kubectl(["get", "--raw", "/readyz"]));
    processes.start("kube-controller-manager", managerFlags(directory, manager));
    await processes.awaited("default account", () =>
      kubectl(["-n", "default", "get", "serviceaccount/default", "configmap/kube-root-ca.crt"]),
    );
    return {
      kubeconfig,
      contextName: name,
      url,
      kubectl,
      freeze: () => processes.signal("kube-apiserver", "SIGSTOP"),
      thaw: () => processes.signal("kube-apiserver", "SIGCONT"),
      stop: () => processes.stop(),
    };
  } catch (error: unknown) {
    await processes.stop();
    throw error;
  }
}

/** One kubeconfig with the contexts of all `planes`, written to `file`; the first is the current one. */
export async function writeMergedKubeconfig(file: string, planes: readonly ControlPlane[]): Promise<void> {
  const all = planes.map(({ kubeconfig }) => JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig);
  const merged: Kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: all.flatMap(({ clusters }) => clusters),
    users: all.flatMap(({ users }) => users),
    contexts: all.flatMap(({ contexts }) => contexts),
    "current-context": planes[0]?.contextName ?? "",
  };
  await writeFile(file, JSON.stringify(merged), { mode: 0o600 });
}

interface Kubeconfig {
  apiVersion: "v1";
  kind: "Config";
  clusters: object[];
  users: object[];
  contexts: object[];
  "current-context": string;
}

function kubeconfigOf(name: string, server: string, directory: string): Kubeconfig {
  const data = (file: string) => readFileSync(join(directory, file)).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": data("ca.crt") } }],
    users: [{ name, user: { "client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key") } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
}

function etcdFlags(directory: string, client: string, peer: string): string[] {
  return [
    ...["--data-dir", join(directory, "etcd"), "--unsafe-no-fsync", "--name", "etcd"],
    ...["--listen-client-urls", `http://${client}`, "--advertise-client-urls", `http://${client}`],
    ...["--listen-peer-urls", `http://${peer}`, "--initial-advertise-peer-urls", `http://${peer}`],
    ...["--initial-cluster", `etcd=http://${peer}`],
  ];
}

function apiServerFlags(
  directory: string,
  etcd: string,
  address: string,
  { emulatedVersion, apiServerFlags: more = [] }: ControlPlaneOptions,
): string[] {
  const at = (file: string) => join(directory, file);
  const [host, port] = address.split(":") as [string, string];
  return [
    ...["--etcd-servers", `http://${etcd}`, "--bind-address", host, "--advertise-address", host, "--secure-port", port],
    ...["--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "198.19.0.0/16"],
    ...["--authorization-mode", "RBAC", "--allow-privileged", "--client-ca-file", at("ca.crt")],
    ...["--tls-cert-file", at("apiserver.crt"), "--tls-private-key-file", at("apiserver.key")],
    ...["--service-account-issuer", "https://kubernetes.default.svc"],
    ...["--service-account-key-file", at("account.key"), "--service-account-signing-key-file", at("account.key")],
    ...(emulatedVersion === undefined ? [] : [`--emulated-version=kube=${emulatedVersion}`]),
    ...more,
  ];
}

function managerFlags(directory: string, address: string): string[] {
  const at = (file: string) => join(directory, file);
  const [host, port] = address.split(":") as [string, string];
  return [
    ...["--kubeconfig", at("kubeconfig"), "--bind-address", host, "--secure-port", port, "--leader-elect=false"],
    ...["--controllers", controllers.join(), "--use-service-account-credentials", "--root-ca-file", at("ca.crt")],
    ...["--cluster-signing-cert-file", at("ca.crt"), "--cluster-signing-key-file", at("ca.key")],
    ...["--service-account-private-key-file", at("account.key"), "--kube-api-qps=200", "--kube-api-burst=400"],
  ];
}

async function writeCertificates(directory: string): Promise<void> {
  const openssl = (...args: string[]) => run(["openssl", ...args], directory);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "account.key");
  await openssl("req", "-x509", ...key, "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt");
  const leaf = (name: string, subject: string, names: string) =>
    openssl(
      ...["req", "-x509", ...key, "-CA", "ca.crt", "-CAkey", "ca.key", "-subj", subject],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=${names}`],
      ...["-addext", "extendedKeyUsage=serverAuth,clientAuth"],
      ...["-keyout", `${name}.key`, "-out", `${name}.crt`],
    );
  await leaf("apiserver", "/CN=kube-apiserver", "DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1");
  await leaf("admin", "/O=system:masters/CN=admin", "DNS:admin");
}

function runKubectl(directory: string, args: readonly string[], input: string): Promise<string> {
  const own = ["--kubeconfig", join(directory, "kubeconfig"), "--cache-dir", join(directory, "kubectl-cache")];
  return run([join(directory, "bin/kubectl"), ...own, "--request-timeout=20s", ...args], directory, input);
}

async function run(command: string[], cwd: string, input = ""): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${err}`);
  return out;
}

/** Loopback ports that were free at the same time. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The components of one control plane, in the order in which they were started. None outlives the test. */
class Processes {
  readonly #directory: string;
  readonly #running = new Map<Component, Bun.Subprocess>();
  readonly #kill = () => {
    for (const child of this.#running.values()) child.kill("SIGKILL");
  };

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, "bin"));
    for (const name of components) symlinkSync(program, join(directory, "bin", name));
    process.on("exit", this.#kill);
  }

  /** With an environment of its own, in which no proxy diverts calls to webhooks. */
  start(name: Component, flags: readonly string[]): void {
    const log = openSync(join(this.#directory, `${name}.log`), "a");
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.#directory };
    const command = [join(this.#directory, "bin", name), ...flags];
    this.#running.set(name, Bun.spawn(command, { env, stdin: "ignore", stdout: log, stderr: log }));
    closeSync(log);
  }

  signal(name: Component, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#running.get(name)?.kill(signal);
  }

  /** Until `probe` succeeds, as long as all run. */
  async awaited(what: string, probe: () => Promise<unknown>): Promise<void> {
    let problem: unknown;
    const succeeds = async () => {
      this.#checkAllRun();
      try {
        await probe();
        return true;
      } catch (error: unknown) {
        problem = error;
        return false;
      }
    };
    await eventually(succeeds, (isSo) => isSo).catch((error: unknown) => {
      throw new Error(`Cannot start a control plane: there is no ${what}: ${error}`, { cause: problem });
    });
  }

  #checkAllRun(): void {
    for (const [name, { exitCode }] of this.#running) {
      if (exitCode !== null) throw new Error(`${name} has ended: ${this.#logTail(name)}`);
    }
  }

  #logTail(name: Component): string {
    return readFileSync(join(this.#directory, `${name}.log`), "utf8").slice(-2000);
  }

  async stop(): Promise<void> {
    process.off("exit", this.#kill);
    this.#kill();
    await Promise.all([...this.#running.values()].map(({ exited }) => exited));
    rmSync(this.#directory, { recursive: true });
  }
}
