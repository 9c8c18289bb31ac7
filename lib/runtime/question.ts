// A question to whoever sits at the terminal.
import { createInterface } from "node:readline";

/** Whether there is a terminal to ask at and to be answered on. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** The line that is typed; empty when there is none, as after Ctrl-C or Ctrl-D. */
export function ask(question: string): Promise<string> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    let answer = "";
    lines.question(question, (text) => {
      answer = text;
      lines.close();
    });
    lines.on("SIGINT", () => lines.close());
    lines.on("close", () => {
      if (answer === "") process.stderr.write("\n");
      resolve(answer);
    });
  });
}
