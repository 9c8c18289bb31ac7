// What people see of a run, and how they end it: on a pseudo-terminal, and where stderr is none.
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, loadtest, startTarget } from "./process.ts";

const columns = 60;
const rows = 24;
/** Each frame clears what is left below it. */
const frameEnd = "\u001b[J";
const interrupt = "\u0003";

/** The lines of a terminal after `text`; one that is too long for it throws, as it would have been wrapped. */
function screenOf(text: string): string[] {
  const lines = [""];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const [piece, parameter, command] of text.matchAll(/\u001b\[([0-9]*)([A-Za-z])|[\r\n]|[^\r\n\u001b]+/g)) {
    const line = lines[row] as string;
    if (piece === "\r") column = 0;
    else if (piece === "\n") lines[++row] ??= "";
    else if (command === "A") row -= Number(parameter);
    else if (command === "K") lines[row] = line.slice(0, column);
    else if (command === "J") lines.splice(row, lines.length, line.slice(0, column));
    else if (command === undefined) {
      lines[row] = line.slice(0, column).padEnd(column) + piece + line.slice(column + piece.length);
      column += piece.length;
      if (column >= columns) throw new Error(`A line is wider than ${columns} columns: "${lines[row]}"`);
    }
    if (row < 0) throw new Error("The cursor left the screen");
  }
  return lines;
}

/** `loadtest run ARGS…` on a terminal; its output grows in `text`. */
function runOnTerminal(args: readonly string[], environment: Record<string, string> = {}) {
  const decoder = new TextDecoder();
  const run = { text: "", child: undefined as unknown as Bun.Subprocess };
  run.child = Bun.spawn([binary, "run", ...args], {
    env: { ...process.env, TERM: "xterm", NO_COLOR: "", ...environment },
    terminal: {
      cols: columns,
      rows,
      data: (_, bytes) => {
        run.text += decoder.decode(bytes, { stream: true });
      },
    },
  });
  return run;
}

async function eventually(condition: () => boolean, deadlineMs = 20_000): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`Not so within ${deadlineMs} ms: ${condition}`);
    await Bun.sleep(20);
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a terminal shows one view, redrawn in place, and in the end only the summary", async () => {
  const target = await startTarget(["--fault", "status-503:1000@20"]);
  const run = runOnTerminal([`${target.url}/`, "--rate", "200", "--duration", "3s", "--workers", "2"]);
  await run.child.exited;
  await target.stop();
  const pieces = run.text.split(frameEnd);
  const screens = pieces.slice(1).map((_, index) => screenOf(pieces.slice(0, index + 1).join(frameEnd) + frameEnd));
  expect(screens[0]?.[0]).toBe("opening connections");
  const views = screens.filter((screen) => screen.some((line) => line.includes("last second")));
  expect(views.length).toBeGreaterThanOrEqual(2);
  expect(views.every((screen) => screen.filter((line) => line.startsWith("completed")).length === 1)).toBe(true);
  expect(run.text).toContain("\u001b[31m  wrong status");
  expect(screens.at(-1)).toEqual([""]);
  expect(pieces.at(-1)?.startsWith("Requests   600 scheduled")).toBe(true);
});

test("NO_COLOR takes the color, a dumb terminal everything but a line a second", async () => {
  const target = await startTarget(["--fault", "status-503:1000@20"]);
  const args = [`${target.url}/`, "--rate", "200", "--duration", "2s"];
  const colorless = runOnTerminal(args, { NO_COLOR: "1" });
  const dumb = runOnTerminal(args, { TERM: "dumb" });
  const [piped, quiet] = await Promise.all([loadtest(["run", ...args]), loadtest(["run", ...args, "--quiet"])]);
  await Promise.all([colorless.child.exited, dumb.child.exited]);
  await target.stop();
  expect(colorless.text).toContain("wrong status");
  expect(colorless.text).not.toContain("\u001b[3");
  expect(dumb.text).toContain("1s of 2s");
  expect(dumb.text).not.toContain("\u001b");
  expect(piped.err).toContain("1s of 2s");
  expect(piped.err).not.toContain("\u001b");
  expect(quiet.err).toBe("");
});

test("Ctrl-C once stops a run on a terminal, and its summary comes", async () => {
  const target = await startTarget();
  const run = runOnTerminal([`${target.url}/`, "--duration", "1h", "--workers", "2"]);
  await eventually(() => run.text.includes("last second"));
  run.child.terminal?.write(interrupt);
  await run.child.exited;
  await target.stop();
  expect(run.child.signalCode).toBeNull();
  expect(run.text.split(frameEnd).at(-1)?.startsWith("Requests ")).toBe(true);
});

test("Ctrl-C twice leaves at once, interrupted, with no worker behind", async () => {
  const target = await startTarget(["--delay", "30s"]);
  const run = runOnTerminal([`${target.url}/`, "--duration", "1h", "--workers", "2"]);
  await eventually(() => run.text.includes("last second"));
  const workers = childrenOf(run.child.pid);
  expect(workers.length).toBe(2);
  run.child.terminal?.write(interrupt);
  await eventually(() => run.text.includes("stopping"));
  run.child.terminal?.write(interrupt);
  await run.child.exited;
  expect(run.child.signalCode).toBe("SIGINT");
  await eventually(() => !workers.some(isRunning));
  await target.stop();
  expect(run.text).not.toContain("Requests ");
});

test("SIGINT twice to the run alone ends it and its workers at once, and leaves no file", async () => {
  const target = await startTarget(["--delay", "30s"]);
  const temporary = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  const child = Bun.spawn([binary, "run", `${target.url}/`, "--duration", "1h", "--workers", "2"], {
    env: { ...process.env, TMPDIR: temporary },
    stdout: "pipe",
    stderr: "pipe",
  });
  const progress = child.stderr.getReader();
  await progress.read();
  const workers = childrenOf(child.pid);
  child.kill("SIGINT");
  for (let second = 0; second < 2; second++) await progress.read();
  child.kill("SIGINT");
  await child.exited;
  expect(child.signalCode).toBe("SIGINT");
  await eventually(() => !workers.some(isRunning), 1000);
  expect(readdirSync(temporary)).toEqual([]);
  await target.stop();
});
