import { afterEach, expect, setSystemTime, test } from "bun:test";
import { CredentialSource, type Credentials } from "../../lib/kube/credentials.ts";

afterEach(() => {
  setSystemTime();
});

/** A source that gives `token-1`, `token-2`, … each good for `lifetimeMs`, and how often it was read. */
function countingSource(lifetimeMs: number): { source: CredentialSource; reads: () => number } {
  let reads = 0;
  const source = new CredentialSource(async () => {
    reads += 1;
    const credentials: Credentials = { tls: { ca: "ca" }, headers: { Authorization: `token-${reads}` } };
    return { credentials, renewAtMs: Date.now() + lifetimeMs };
  });
  return { source, reads: () => reads };
}

test("credentials are read once while they are good, and again after that", async () => {
  const { source, reads } = countingSource(60_000);
  setSystemTime(1_000_000);
  const first = await source.current();
  setSystemTime(1_059_999);
  expect(await source.current()).toBe(first);
  setSystemTime(1_060_000);
  expect((await source.current()).headers).toEqual({ Authorization: "token-2" });
  expect(reads()).toBe(2);
});

test("callers at the same time share one read", async () => {
  const { source, reads } = countingSource(60_000);
  const [first, second] = await Promise.all([source.current(), source.current()]);
  expect(first).toBe(second);
  expect(reads()).toBe(1);
});

test("many calls rejected with the same credentials read new ones once", async () => {
  const { source, reads } = countingSource(60_000);
  const rejected = await source.current();
  const [first, second] = await Promise.all([source.replacementFor(rejected), source.replacementFor(rejected)]);
  expect(await source.replacementFor(rejected)).toBe(first);
  expect(first).toBe(second);
  expect(reads()).toBe(2);
});

test("new headers leave the TLS object as it is, by which connections are pooled", async () => {
  const { source } = countingSource(0);
  const first = await source.current();
  const second = await source.current();
  expect(second.headers).not.toEqual(first.headers);
  expect(second.tls).toBe(first.tls);
});

test("equal credentials are the same object, so that a rejection is not answered by asking again", async () => {
  const source = new CredentialSource(async () => ({ credentials: { tls: {}, headers: {} }, renewAtMs: 0 }));
  const first = await source.current();
  expect(await source.replacementFor(first)).toBe(first);
});

test("a failing read leaves the old credentials in use until the server rejects them", async () => {
  let fail = false;
  const source = new CredentialSource(async () => {
    if (fail) throw new Error("no such file");
    return { credentials: { tls: {}, headers: { Authorization: "old" } }, renewAtMs: 0 };
  });
  const old = await source.current();
  fail = true;
  expect(await source.current()).toBe(old);
  await expect(source.replacementFor(old)).rejects.toThrow("no such file");
});

test("a failing first read is an error, and the next call reads again", async () => {
  let reads = 0;
  const source = new CredentialSource(async () => {
    if (++reads === 1) throw new Error("not yet");
    return { credentials: { tls: {}, headers: {} }, renewAtMs: 0 };
  });
  await expect(source.current()).rejects.toThrow("not yet");
  expect(await source.current()).toEqual({ tls: {}, headers: {} });
});
