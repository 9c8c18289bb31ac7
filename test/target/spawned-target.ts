// `loadtest target ARGS…` as a child process.
import { join } from "node:path";

const mainFile = join(import.meta.dir, "../../main.ts");

export function spawnTarget(...args: string[]) {
  const child = Bun.spawn([process.execPath, mainFile, "target", ...args], { stdout: "pipe", stderr: "pipe" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  return {
    child,
    async line(): Promise<string> {
      while (!pending.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot read a line: ${await new Response(child.stderr).text()}`);
        pending += value;
      }
      const end = pending.indexOf("\n");
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      return line;
    },
  };
}
