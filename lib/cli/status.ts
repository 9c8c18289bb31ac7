// `loadtest status`: the LoadTests of a cluster, once or as they go on.
import { Command } from "commander";
import { ApiError, isNotFound } from "../kube/api-error.ts";
import { ConnectionError } from "../kube/connection-error.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { loadtests } from "../kube/resource.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { presentRun } from "../plan/run.ts";
import { resultName } from "../plan/run-result.ts";
import { testDetail } from "../report/test-detail.ts";
import { type TestRow, testRow, testTable } from "../report/test-table.ts";
import { nowMs, sleep } from "../runtime/clock.ts";
import { terminal, writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";
import { RedrawnView } from "./redrawn-view.ts";

interface Flags extends KubeFlags {
  watch?: true;
  output: "text" | "json";
}

/** Between two looks, and for how many an API server may be away. */
const lookMs = 1000;
const patience = 60;

const explanations = `
Of one LoadTest everything is shown: figures, conditions with their reasons,
thresholds, and where its results are. With --watch it is shown until it has
finished, and the exit code says how: 0 passed, 3 thresholds broken,
4 inconclusive, or not finished when this was ended, 1 nothing completed, or
it could not be looked at.
`;

export function statusCommand(): Subcommand {
  const command = addKubeFlags(
    new Command("status").description("show the LoadTests of a cluster, or one of them whole").argument("[name]"),
    "the namespace (default: all, or with a name the context's)",
  )
    .option("-w, --watch", "go on: in place on a terminal, a line for each change elsewhere")
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => show(command.args[0], command.opts<Flags>()) };
}

async function show(name: string | undefined, flags: Flags): Promise<ExitCode> {
  const connection = await connectionFromFlags(flags);
  const client = new HttpKubeClient(connection);
  const scope = flags.namespace === undefined ? {} : { namespace: flags.namespace };
  const look = async (): Promise<LoadTest[]> =>
    name === undefined
      ? [...(await client.list(loadtests, scope)).items]
      : [await client.get(loadtests, { namespace: connection.namespace, name })];
  const view = new StatusView(name !== undefined, flags);
  if (!flags.watch) {
    view.print(await look());
    return ExitCode.Passed;
  }
  return follow(look, view, name !== undefined, stopSignal());
}

async function follow(
  look: () => Promise<LoadTest[]>,
  view: StatusView,
  isOne: boolean,
  stop: AbortSignal,
): Promise<ExitCode> {
  let seen: LoadTest[] | undefined;
  try {
    for (let failures = 0; !stop.aborted; await sleep(lookMs, stop)) {
      try {
        seen = await look();
        failures = 0;
        view.show(seen);
      } catch (error: unknown) {
        if (!mayPass(error) || ++failures > patience) throw error;
      }
      const code = isOne && seen?.[0] !== undefined ? exitCodeOf(seen[0]) : undefined;
      if (code !== undefined) return code;
    }
    return isOne ? ExitCode.Inconclusive : ExitCode.Passed;
  } finally {
    view.end(seen);
  }
}

/** An API server that is away for a moment is waited for; one that says no is not. */
function mayPass(error: unknown): boolean {
  if (isNotFound(error)) return false;
  return error instanceof ConnectionError || (error instanceof ApiError && (error.code >= 500 || error.code === 429));
}

/** How the run of a LoadTest that is under way, or was the last, has ended; undefined as long as it has not. */
function exitCodeOf(test: LoadTest): ExitCode | undefined {
  const { conditions = [] } = presentRun(test).status;
  const conditionOf = (type: string) => conditions.find((condition) => condition.type === type);
  if (conditionOf("Complete")?.status !== "True") return undefined;
  const passed = conditionOf("Passed");
  if (passed?.status === "True") return ExitCode.Passed;
  if (passed?.status !== "False") return ExitCode.Inconclusive;
  return passed.reason === "NothingCompleted" ? ExitCode.Failed : ExitCode.ThresholdsFailed;
}

/** Of all LoadTests a table, of one everything; as JSON a line for each look that shows something new. */
class StatusView {
  readonly #isOne: boolean;
  readonly #flags: Flags;
  readonly #redrawn = new RedrawnView();
  /** What has been shown, without ages: by namespace and name, or all at once. */
  readonly #shown = new Map<string, string>();
  #hasHead = false;

  constructor(isOne: boolean, flags: Flags) {
    this.#isOne = isOne;
    this.#flags = flags;
  }

  print(tests: readonly LoadTest[]): void {
    if (this.#flags.output === "json") {
      writeOut(`${JSON.stringify(this.#isOne ? tests.map(jsonOf)[0] : tests.map(jsonOf), null, 2)}\n`);
    } else if (tests.length === 0) writeErr("There are no LoadTests.\n");
    else writeOut(`${this.#lines(tests).join("\n")}\n`);
  }

  show(tests: readonly LoadTest[]): void {
    const screen = terminal();
    if (this.#flags.output === "json") this.#append(tests);
    else if (screen === undefined) this.#appendRows(tests);
    else {
      const width = screen.columns - 1;
      this.#redrawn.draw(
        this.#lines(tests).map((text) => ({ text: text.slice(0, width) })),
        screen,
      );
    }
  }

  /** What was last seen stays, of one whole. */
  end(seen: readonly LoadTest[] | undefined): void {
    const wasRedrawn = this.#flags.output === "text" && terminal() !== undefined;
    this.#redrawn.end();
    if (seen !== undefined && (wasRedrawn || (this.#isOne && this.#flags.output === "text"))) this.print(seen);
  }

  #lines(tests: readonly LoadTest[]): string[] {
    const [test] = tests;
    if (this.#isOne && test !== undefined) {
      return testDetail(test, resultName(test.metadata.name, presentRun(test)), nowMs());
    }
    return testTable(
      tests.map((each) => testRow(each, nowMs())),
      this.#hasNamespaces,
    );
  }

  get #hasNamespaces(): boolean {
    return !this.#isOne && this.#flags.namespace === undefined;
  }

  #append(tests: readonly LoadTest[]): void {
    for (const test of tests) {
      if (this.#isNews(test, JSON.stringify(test.status ?? {}))) writeOut(`${JSON.stringify(jsonOf(test))}\n`);
    }
  }

  #appendRows(tests: readonly LoadTest[]): void {
    const rows: TestRow[] = tests
      .map((test) => ({ test, row: testRow(test, nowMs()) }))
      .filter(({ test, row }) => this.#isNews(test, row.cells.join()))
      .map(({ row }) => row);
    if (rows.length === 0) return;
    writeOut(
      `${testTable(rows, this.#hasNamespaces, true)
        .slice(this.#hasHead ? 1 : 0)
        .join("\n")}\n`,
    );
    this.#hasHead = true;
  }

  #isNews({ metadata }: LoadTest, text: string): boolean {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (this.#shown.get(key) === text) return false;
    this.#shown.set(key, text);
    return true;
  }
}

function jsonOf(test: LoadTest): object {
  const { metadata, spec, status = {} } = test;
  const { namespace, name, creationTimestamp } = metadata;
  return { namespace, name, creationTimestamp, spec, status, result: resultName(name, presentRun(test)) };
}
