// The response parser against llhttp, over generated responses: both must find the same end, status and persistence, and
// ours must not care where the bytes are cut. `scripts/fuzz parser` runs more cases, from other seeds.
import { expect, test } from "bun:test";
import { Progress, ResponseParser } from "../../lib/load/response-parser.ts";
import { type Case, responseCase } from "./response-cases.ts";
import { differences } from "./response-differences.ts";
import { askLlhttp } from "./response-oracle.ts";

const caseCount = Number(process.env["FUZZ_CASES"] ?? 100_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 1);

interface Verdict {
  progress: Progress;
  status: number;
  keepAlive: boolean;
  endsWithClose: boolean;
}

const parser = new ResponseParser();

function verdictOn(bytes: Uint8Array, isHead: boolean, cuts: readonly number[] = []): Verdict {
  parser.begin(isHead);
  let progress: Progress = Progress.NeedsMore;
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    progress = parser.feed(bytes.subarray(from, cut));
    from = cut;
  }
  return { progress, status: parser.status, keepAlive: parser.keepAlive, endsWithClose: parser.endsWithClose() };
}

function verdictOf(text: string, isHead: boolean): Verdict {
  return verdictOn(Buffer.from(text, "latin1"), isHead);
}

function isSame(a: Verdict, b: Verdict): boolean {
  if (a.progress === Progress.Malformed) return b.progress === Progress.Malformed;
  return (
    a.progress === b.progress &&
    (a.status === b.status || (a.status < 200 && b.status < 200)) &&
    a.keepAlive === b.keepAlive &&
    a.endsWithClose === b.endsWithClose
  );
}

/** What ours and llhttp say differently; "" for nothing. */
function disagreement(text: string, isHead: boolean): string {
  const bytes = Buffer.from(text, "latin1");
  const ours = verdictOn(bytes, isHead);
  const { end, error, status, keepAlive, endsWithClose } = askLlhttp(bytes, isHead);
  if (error !== "") return ours.progress === Progress.Malformed ? "" : `llhttp refuses it: ${error}`;
  if (end < 0) {
    if (ours.progress !== Progress.NeedsMore) return "llhttp needs more";
    if (ours.endsWithClose !== endsWithClose) return `llhttp ${endsWithClose ? "awaits" : "does not await"} the close`;
    return status < 200 || (ours.status === status && ours.keepAlive === keepAlive)
      ? ""
      : `llhttp reads ${status}, ${keepAlive}`;
  }
  if (end < bytes.length && ours.progress !== Progress.Malformed) return `llhttp finds the end at ${end}`;
  if (verdictOn(bytes.subarray(0, end - 1), isHead).progress !== Progress.NeedsMore)
    return `llhttp ends later, at ${end}`;
  const whole = verdictOn(bytes.subarray(0, end), isHead);
  if (whole.progress !== Progress.Complete) return `llhttp is complete at ${end}`;
  return whole.status === status && whole.keepAlive === keepAlive ? "" : `llhttp reads ${status}, ${keepAlive}`;
}

/** What is wrong with the verdict on a case; "" for nothing. Counts in `seen` which differences had to be taken out. */
function fault({ text, isHead, cuts }: Case, seen: Map<string, number>): string {
  const bytes = Buffer.from(text, "latin1");
  const ours = verdictOn(bytes, isHead);
  if (!isSame(ours, verdictOn(bytes, isHead, cuts))) return `cut at ${cuts.join()} it is read otherwise`;
  const first = disagreement(text, isHead);
  if (first === "") return "";
  let left = text;
  for (const { name, isRead, edit } of differences) {
    const edited = edit(left);
    if (edited === left || (isRead && !isSame(verdictOf(left, isHead), verdictOf(edited, isHead)))) continue;
    left = edited;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (disagreement(left, isHead) === "") return "";
  }
  // A field is judged when its line has ended: llhttp is faster.
  const isCut = refuses(left, isHead) && verdictOf(left, isHead).progress === Progress.NeedsMore;
  if (isCut && disagreement(`${left}\r\n\r\n`, isHead) === "") return "";
  return `${first}; and of ${JSON.stringify(left)}: ${disagreement(left, isHead)}`;
}

function refuses(text: string, isHead: boolean): boolean {
  return askLlhttp(Buffer.from(text, "latin1"), isHead).error !== "";
}

test(`${caseCount} responses are read as llhttp reads them, however they are split (seed ${seed})`, () => {
  const seen = new Map<string, number>();
  for (let index = 0; index < caseCount; index++) {
    const one = responseCase(seed, index);
    const found = fault(one, seen);
    if (found !== "") throw new Error(`seed ${seed}, case ${index}: ${found}\n${JSON.stringify(one)}`);
  }
  // A difference that none of so many cases shows would be one that is not there.
  if (caseCount >= 100_000) expect([...seen.keys()].sort()).toEqual(differences.map(({ name }) => name).sort());
});

test.each(differences.map((difference) => [difference.name, difference] as const))(
  "%s sets ours and llhttp apart, and nothing else does",
  (_, { example, isRead, edit }) => {
    expect(disagreement(example, false)).not.toBe("");
    expect(disagreement(edit(example), false)).toBe("");
    expect(verdictOn(Buffer.from(example, "latin1"), false).progress).toBe(
      isRead ? Progress.Complete : Progress.Malformed,
    );
  },
);
