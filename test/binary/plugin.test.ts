// The binary as a plugin of kubectl, by two links on the PATH, and its completion in shells: with a real kubectl, a real
// API server, and the shells' own machinery on a terminal.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ControlPlane, missingControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { eventually } from "../cluster/kubectl.ts";
import { binary, type Outcome } from "./process.ts";

const manifest = (name: string) => readFileSync(join(import.meta.dir, `../../manifests/${name}.yaml`), "utf8");
const folder = mkdtempSync(join(tmpdir(), "plugin-"));
const home = join(folder, "home");
mkdirSync(home);
for (const name of ["loadtest", "kubectl-loadtest", "kubectl_complete-loadtest"])
  symlinkSync(binary, join(folder, name));
afterAll(() => rmSync(folder, { recursive: true }));

const contexts = ["kind-a", "admin@prod:1", "admin@prod:2"];
const kubeconfig = join(home, "config");
writeFileSync(
  kubeconfig,
  JSON.stringify({
    "current-context": "kind-a",
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "c", user: "u" } })),
  }),
);
const environment = (variables: Record<string, string> = {}) => ({
  PATH: `${folder}:${process.env["PATH"]}`,
  HOME: home,
  KUBECONFIG: kubeconfig,
  ...variables,
});

async function run(command: string[], variables: Record<string, string> = {}): Promise<Outcome> {
  const child = Bun.spawn(command, {
    cwd: home,
    env: environment(variables),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/** What completion offers after these words, and what the shell is to do with it. */
async function offered(...words: string[]): Promise<{ values: string[]; directive: string | undefined }> {
  const lines = (await run(["loadtest", "__complete", ...words])).out.trimEnd().split("\n");
  return { values: lines.slice(0, -1).map((line) => line.split("\t")[0] ?? ""), directive: lines.at(-1) };
}

describe("completion", () => {
  test("subcommands, their subcommands and options are commander's own", async () => {
    const help = (await run(["loadtest", "--help"])).out;
    const commands = [...(help.split("Commands:")[1] ?? "").matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    expect((await offered("")).values).toEqual(commands as string[]);
    expect(commands).toContain("doctor");
    expect((await offered("sta")).values).toEqual(["status"]);
    expect((await offered("cert", "")).values).toContain("key-csr");
    expect((await offered("cert", "appr")).values).toEqual(["approve"]);
    const options = (await offered("doctor", "--")).values;
    const listed = [...(await run(["loadtest", "doctor", "--help"])).out.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)];
    expect(options).toEqual(listed.map(([, option]) => option as string));
  });

  test.each([
    [["doctor", "--output", ""], ["text", "json"], ":4"],
    [["doctor", "-o", "j"], ["json"], ":4"],
    [["doctor", "--output=j"], ["--output=json"], ":4"],
    [["completion", ""], ["bash", "zsh", "fish"], ":4"],
    [["doctor", "--context", "admin@"], ["admin@prod:1", "admin@prod:2"], ":4"],
    [["doctor", "--context", "none", "--contexts", ""], contexts, ":6"],
    [["doctor", "--contexts", "kind-a,"], ["kind-a,admin@prod:1", "kind-a,admin@prod:2"], ":6"],
    [["doctor", "--user", ""], ["u"], ":4"],
    [["validate", "-f", ""], [], ":0"],
    [["validate", "-f", "a.yaml", ""], [], ":0"], // it takes several
    [["validate", "--filename=x"], [], ":0"],
    [["doctor", "--kubeconfig", ""], [], ":0"],
    [["cert", "issue", "--out-dir", ""], [], ":16"],
    [["doctor", "--timeout", ""], [], ":4"],
    [["version", "x"], [], ":4"],
    [["doctor", "--", "--"], [], ":4"],
    [["nonsense", "x"], [], ":4"],
    [["status", ""], [], ":4"], // nobody answers there
  ])("after %j", async (words, values, directive) => {
    expect(await offered(...words)).toEqual({ values, directive });
  });

  test("a script for another shell than these is a wrong call", async () => {
    expect((await run(["loadtest", "completion", "tcsh"])).code).toBe(2);
  });
});

interface Shell {
  name: string;
  command: string[];
  /** Makes completion known. */
  setUp: string;
}
const shells: Shell[] = [
  { name: "bash", command: ["bash", "--norc", "--noprofile", "-i"], setUp: "source <(loadtest completion bash)" },
  {
    name: "zsh",
    command: ["zsh", "-f", "-i"],
    setUp: "autoload -Uz compinit; compinit -u; source <(loadtest completion zsh)",
  },
];
const here = shells.filter(({ name }) => Bun.which(name) !== null);

/** A shell on a terminal, as somebody types into it. */
class Typist {
  #screen = "";
  readonly #child: Bun.Subprocess;

  constructor(command: string[]) {
    const decoder = new TextDecoder();
    const data = (_: unknown, bytes: Uint8Array) => {
      this.#screen += decoder.decode(bytes, { stream: true });
    };
    const env = environment({ TERM: "dumb", PS1: "$ " });
    this.#child = Bun.spawn(command, { cwd: home, env, terminal: { cols: 200, rows: 50, data } });
  }

  /** Types, and waits until the line is `expected`. */
  async type(keys: string, expected: string): Promise<void> {
    const before = this.#screen.length;
    this.#child.terminal?.write(keys);
    const line = () =>
      Promise.resolve(
        this.#screen
          .slice(before)
          .split(/[\r\n]+(?:\$ |% )?/)
          .at(-1) ?? "",
      );
    await eventually(line, (text) => text.replaceAll("\u0007", "").endsWith(expected), 20_000);
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

const clear = "\u0015";
describe.each(here.map((shell) => [shell.name, shell] as const))("%s", (_, { command, setUp }) => {
  let typist: Typist;
  beforeAll(async () => {
    writeFileSync(join(home, "plan.yaml"), "");
    mkdirSync(join(home, "folder"), { recursive: true });
    typist = new Typist(command);
    await typist.type(`${setUp}; echo rea""dy\n`, "");
    await typist.type("echo a'b'c\n", "");
  }, 30_000);
  afterAll(() => typist.end());

  test.each([
    ["loadtest doct", "loadtest doctor "],
    ["loadtest cert appr", "loadtest cert approve "],
    ["loadtest doctor --outp", "loadtest doctor --output "],
    ["loadtest doctor --output=j", "loadtest doctor --output=json "],
    ["loadtest doctor --context adm", "loadtest doctor --context admin@prod:"],
    ["loadtest doctor --contexts admin@prod:1,k", "loadtest doctor --contexts admin@prod:1,kind-a"],
    ["loadtest validate -f pl", "loadtest validate -f plan.yaml "],
    ["loadtest cert issue --out-dir fo", "loadtest cert issue --out-dir folder/"],
    ["kubectl-loadtest vali", "kubectl-loadtest validate "],
  ])(
    "%s<tab>",
    async (typed, completed) => {
      await typist.type(`${clear}${typed}\t`, completed);
    },
    30_000,
  );
});

describe.skipIf(Bun.which("fish") === null)("fish", () => {
  test.each([
    ["loadtest doct", ["doctor"]],
    ["loadtest doctor --output=j", ["--output=json"]],
    ["loadtest doctor --context admin@", ["admin@prod:1", "admin@prod:2"]],
    ["loadtest doctor --contexts kind-a,admin@prod:1", ["kind-a,admin@prod:1"]],
  ])(
    "%s<tab>",
    async (typed, completed) => {
      const script = `loadtest completion fish | source; complete -C '${typed}'`;
      const { out } = await run(["fish", "--no-config", "-c", script]);
      expect(
        out
          .trim()
          .split("\n")
          .map((line) => line.split("\t")[0]),
      ).toEqual(completed);
    },
    30_000,
  );
});

describe.skipIf(missingControlPlane !== undefined)("as a plugin of kubectl", () => {
  let plane: ControlPlane;
  let token: string;
  const kubectl = (args: string[], variables: Record<string, string> = { KUBECONFIG: plane.kubeconfig }) =>
    run([join(dirname(plane.kubeconfig), "bin/kubectl"), ...args], variables);
  /** What kubectl's own completion offers. */
  const offers = async (...words: string[]) => {
    const { out } = await kubectl(["__complete", ...words]);
    return out
      .trimEnd()
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t")[0] ?? "");
  };

  beforeAll(async () => {
    plane = await startControlPlane("plugin");
    const kinds = ["loadtest-resource", "loadtest-result-resource", "canary-resource"].map(manifest).join("---\n");
    await plane.kubectl(["apply", "-f", "-"], kinds);
    await plane.kubectl(["wait", "--for=condition=Established", "crd/loadtests.beta.kuar.com", "--timeout=30s"]);
    await plane.kubectl(["create", "namespace", "mine"]);
    for (const name of ["one", "two"]) {
      const spec = { service: "web", scheme: "http", requestsPerSecond: 1 };
      const object = { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata: { name, namespace: "mine" }, spec };
      await plane.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    }
    await plane.kubectl(["create", "serviceaccount", "reader", "-n", "mine"]);
    await plane.kubectl(["create", "clusterrole", "reader", "--verb=get,list", "--resource=loadtests.beta.kuar.com"]);
    await plane.kubectl([
      ...["create", "rolebinding", "reader", "-n", "mine", "--clusterrole=reader", "--serviceaccount=mine:reader"],
    ]);
    token = (await plane.kubectl(["create", "token", "reader", "-n", "mine"])).trim();
  }, 90_000);
  afterAll(() => plane.stop());

  test("kubectl loadtest is this program, and says so in its usage and its examples", async () => {
    expect((await kubectl(["loadtest", "version"])).out).toMatch(/^loadtest \d/);
    expect((await kubectl(["loadtest", "status", "--help"])).out).toStartWith(
      "Usage: kubectl loadtest status [options]",
    );
    expect((await kubectl(["loadtest", "cert", "--help"])).out).toContain("\n  kubectl loadtest cert issue ");
    expect((await run(["loadtest", "cert", "--help"])).out).toContain("\n  loadtest cert issue ");
    const { code, err } = await kubectl(["loadtest", "status", "--nonsense"]);
    expect(code).toBe(2);
    expect(err).toContain("--nonsense");
  }, 30_000);

  test("kubectl takes no flags before the plugin's name", async () => {
    expect((await kubectl(["--context", "plugin", "loadtest", "status"])).err).toContain(
      "flags cannot be placed before",
    );
  });

  test("completion goes on behind the plugin's name, down to the names of LoadTests", async () => {
    expect(await offers("loadtest", "sta")).toEqual(["status"]);
    expect(await offers("loadtest", "cert", "appr")).toEqual(["approve"]);
    expect(await offers("loadtest", "status", "-n", "min")).toEqual(["mine"]);
    expect(await offers("loadtest", "status", "-n", "mine", "")).toEqual(["one", "two"]);
    expect(await offers("loadtest", "status", "--namespace=mine", "t")).toEqual(["two"]);
    expect(await offers("loadtest", "doctor", "--context", "")).toEqual(["plugin"]);
  }, 30_000);

  const authority = () => join(dirname(plane.kubeconfig), "ca.crt");
  const everybody = { KUBECONFIG: join(home, "none") };
  const byToken = () => ["--server", plane.url, "--certificate-authority", authority(), "--token", token, "-n", "mine"];
  test.each([
    ["the kubeconfig alone", () => [], undefined],
    ["--kubeconfig", () => ["--kubeconfig", plane.kubeconfig], everybody],
    ["--context and --namespace", () => ["--context", "plugin", "--namespace", "mine"], undefined],
    ["--cluster and --user", () => ["--cluster", "plugin", "--user", "plugin"], undefined],
    ["--server, --certificate-authority and --token, without a kubeconfig", byToken, everybody],
    ["--tls-server-name", () => [...byToken(), "--tls-server-name", "kubernetes.default.svc"], everybody],
    [
      "--insecure-skip-tls-verify",
      () => ["-s", plane.url, "--insecure-skip-tls-verify", "--token", token, "-n", "mine"],
      everybody,
    ],
    ["--as", () => ["--as", "system:serviceaccount:mine:reader", "-n", "mine"], undefined],
    ["--as and --as-group", () => ["--as", "me", "--as-group", "system:masters"], undefined],
    [
      "--client-certificate and --client-key",
      () => withAdmin(plane, ["-s", plane.url, "--certificate-authority", authority()]),
      everybody,
    ],
    ["--token beside a client certificate, which counts, as with kubectl", () => ["--token", token], undefined],
    ["--request-timeout in seconds", () => ["--request-timeout", "20"], undefined],
    ["--request-timeout without limit", () => ["--request-timeout=0"], undefined],
  ])(
    "status by %s",
    async (_, args, variables) => {
      const { out, err } = await kubectl(["loadtest", "status", "--output", "json", ...args()], variables);
      expect(err).toBe("");
      expect((JSON.parse(out) as { name: string }[]).map(({ name }) => name)).toEqual(["one", "two"]);
    },
    30_000,
  );

  test.each([
    [
      "--as somebody without rights",
      () => ["--as", "nobody"],
      undefined,
      'User \\"nobody\\" cannot list|User "nobody" cannot list',
    ],
    [
      "--tls-server-name of another server",
      () => ["--tls-server-name", "other.example"],
      undefined,
      "for another name",
    ],
    ["--server without its authority", () => ["-s", plane.url, "--token", token], everybody, "is not trusted"],
    ["--user who is not there", () => ["--user", "x"], undefined, 'user "x" must be in users'],
    ["--cluster that is not there", () => ["--cluster", "x"], undefined, 'cluster "x" must be in clusters'],
    ["two groups", () => ["--as", "a", "--as-group", "b", "--as-group", "c"], undefined, "at most one"],
    ["a timeout that is none", () => ["--request-timeout", "soon"], undefined, "must be a duration"],
  ])(
    "status by %s is refused",
    async (_, args, variables, words) => {
      const { code, err } = await kubectl(["loadtest", "status", ...args()], variables);
      expect(code).toBeGreaterThan(0);
      expect(err).toMatch(new RegExp(words));
    },
    30_000,
  );

  test("kubectl itself believes the certificate, too", async () => {
    const { out } = await kubectl(["auth", "whoami", "--token", token, "-o", "jsonpath={.status.userInfo.username}"]);
    expect(out).toBe("admin");
  }, 30_000);

  test("--request-timeout ends the wait for an API server that hangs", async () => {
    plane.freeze();
    try {
      const startedMs = performance.now();
      const { code, err } = await kubectl(["loadtest", "status", "--request-timeout", "1s"]);
      expect([code, performance.now() - startedMs < 9000]).toEqual([1, true]);
      expect(err).toContain("no answer in time");
    } finally {
      plane.thaw();
    }
  }, 30_000);
});

/** The flags of the administrator of a control plane. */
function withAdmin({ kubeconfig: file }: ControlPlane, flags: string[]): string[] {
  const own = (name: string) => join(dirname(file), name);
  return [...flags, "--client-certificate", own("admin.crt"), "--client-key", own("admin.key")];
}
