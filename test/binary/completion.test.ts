// What the binary offers to complete command lines with, and what shells make of it: by their own machinery, on a
// terminal. Shells that are not here are left out.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../cluster/kubectl.ts";
import { contexts, PluginHome } from "./plugin-home.ts";

const home = new PluginHome();
afterAll(() => home.remove());

/** What completion offers after these words, and what the shell is to do with it. */
async function offered(...words: string[]): Promise<{ values: string[]; directive: string | undefined }> {
  const lines = (await home.run(["loadtest", "__complete", ...words])).out.trimEnd().split("\n");
  return { values: lines.slice(0, -1).map((line) => line.split("\t")[0] ?? ""), directive: lines.at(-1) };
}

describe("completion", () => {
  test("subcommands, their subcommands and options are commander's own", async () => {
    const help = (await home.run(["loadtest", "--help"])).out;
    const commands = [...(help.split("Commands:")[1] ?? "").matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    expect((await offered("")).values).toEqual(commands as string[]);
    expect(commands).toContain("doctor");
    expect((await offered("sta")).values).toEqual(["status"]);
    expect((await offered("cert", "")).values).toContain("key-csr");
    expect((await offered("cert", "appr")).values).toEqual(["approve"]);
    const options = (await offered("doctor", "--")).values;
    const listed = [...(await home.run(["loadtest", "doctor", "--help"])).out.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)];
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
    expect((await home.run(["loadtest", "completion", "tcsh"])).code).toBe(2);
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
    const env = home.environment({ TERM: "dumb", PS1: "$ " });
    this.#child = Bun.spawn(command, { cwd: home.folder, env, terminal: { cols: 200, rows: 50, data } });
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
    writeFileSync(join(home.folder, "plan.yaml"), "");
    mkdirSync(join(home.folder, "folder"), { recursive: true });
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
      const { out } = await home.run(["fish", "--no-config", "-c", script]);
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
