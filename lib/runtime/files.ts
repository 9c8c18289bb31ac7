// Files, read and written whole.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemReason } from "./error-message.ts";
import { beforeLeaving } from "./signals.ts";

/** Of what is written, the folder is what may be missing. */
const noFolder = { ENOENT: "no such folder", ENOTDIR: "no such folder" };

/** The text of a file, or of stdin for `-`. Rejects with the name of the file and the reason. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return file === "-" ? await Bun.stdin.text() : readFileSync(file, "utf8");
  } catch (error: unknown) {
    throw new Error(`Cannot read "${file}": ${systemReason(error)}`);
  }
}

/** The bytes of a file. Throws with the name of the file and the reason. */
export function readFileBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error: unknown) {
    throw new Error(`Cannot read "${file}": ${systemReason(error)}`);
  }
}

/** The text of a file; undefined when there is no such file. */
export function readTextFileIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`Cannot read "${file}": ${systemReason(error)}`);
  }
}

/** The text of a file; undefined when it cannot be read, for whatever reason. */
export function readTextFileIfPossible(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Whether this process may open one more file or connection. */
export function hasFreeFileDescriptor(): boolean {
  try {
    closeSync(openSync("/dev/null", "r"));
    return true;
  } catch (error: unknown) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EMFILE" || code === "ENFILE") return false;
    throw error;
  }
}

/** Writes a file in place; for files that a container runtime has mounted. */
export function writeTextFile(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error: unknown) {
    throw new Error(`Cannot write "${file}": ${systemReason(error, noFolder)}`);
  }
}

/** Makes the folder if there is none. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error: unknown) {
    throw new Error(`Cannot make folder "${folder}": ${systemReason(error, noFolder)}`);
  }
}

/** Replaces a file in one step, readable by its owner only, so that no reader sees half of it. */
export function replaceTextFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Runs `use` with a new private folder, which is gone afterwards. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeTemporaryFolder();
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forget = beforeLeaving(remove);
  try {
    return await use(folder);
  } finally {
    forget();
    remove();
  }
}

function makeTemporaryFolder(): string {
  const parent = tmpdir();
  try {
    return mkdtempSync(join(parent, "loadtest-"));
  } catch (error: unknown) {
    const must = "must be a folder that this user may write to, named by TMPDIR";
    throw new Error(`Cannot make a folder in "${parent}": ${systemReason(error, noFolder)}, ${must}`);
  }
}
