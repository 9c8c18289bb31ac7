// Texts kept byte for byte in golden/. `GOLDEN=write bun test test/report` writes them anew; look at the difference.
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "golden");

export function expectGolden(name: string, text: string): void {
  const file = join(folder, name);
  if (process.env["GOLDEN"] === "write") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "utf8"));
}
