import { expect, test } from "bun:test";
import { ClientWatch, type Sight } from "../../lib/webhook/slow-clients.ts";

const patience = { exchangeMs: 10_000, idleMs: 130_000 };
const silent: Sight = { isOpen: false, exchanges: 0, receivedBytes: 0, unsentBytes: 0 };
const open: Sight = { ...silent, isOpen: true };

/** What each look says, of a connection accepted at 0. */
function verdicts(looks: readonly (readonly [atMs: number, sight: Sight])[]): (string | undefined)[] {
  const watch = new ClientWatch(0);
  return looks.map(([atMs, sight]) => watch.look(sight, atMs, patience));
}

test("a connection that agrees on nothing is slow", () => {
  expect(
    verdicts([
      [1000, silent],
      [9999, silent],
      [10_000, silent],
    ]),
  ).toEqual([undefined, undefined, "slow"]);
});

test("a connection that is open and asks nothing is kept for longer than the API server keeps one", () => {
  expect(
    verdicts([
      [1000, open],
      [91_000, open],
      [130_999, open],
      [131_000, open],
    ]),
  ).toEqual([undefined, undefined, undefined, "idle"]);
});

test("a request that begins and does not end is slow, however steadily its bytes come", () => {
  const looks = Array.from({ length: 13 }, (_, second) => [1000 * second, { ...open, receivedBytes: second }] as const);
  expect(verdicts(looks).indexOf("slow")).toBe(11); // its first byte is seen at 1 s
});

test("a request that is being answered is slow in the end, and so is a response that the client does not take", () => {
  const asked = { ...open, receivedBytes: 100, exchanges: 1 };
  expect(
    verdicts([
      [1000, open],
      [2000, asked],
      [12_000, asked],
    ]),
  ).toEqual([undefined, undefined, "slow"]);
  const watch = new ClientWatch(0);
  watch.answered({ ...open, receivedBytes: 100, unsentBytes: 5 }, 3000);
  expect(watch.look({ ...open, receivedBytes: 100, unsentBytes: 5 }, 12_999, patience)).toBeUndefined();
  expect(watch.look({ ...open, receivedBytes: 100, unsentBytes: 5 }, 13_000, patience)).toBe("slow");
});

test("an answered request makes the connection idle at once, and the next byte makes it busy", () => {
  const watch = new ClientWatch(0);
  watch.look({ ...open, receivedBytes: 100, exchanges: 1 }, 1000, patience);
  expect(watch.idleSinceMs).toBeUndefined();
  watch.answered({ ...open, receivedBytes: 100 }, 1500);
  expect(watch.idleSinceMs).toBe(1500);
  expect(watch.look({ ...open, receivedBytes: 100 }, 120_000, patience)).toBeUndefined();
  watch.look({ ...open, receivedBytes: 101 }, 121_000, patience);
  expect(watch.idleSinceMs).toBeUndefined();
  expect(watch.look({ ...open, receivedBytes: 101 }, 131_000, patience)).toBe("slow");
});

test("a client that always has a request under way is not slow while responses end", () => {
  const watch = new ClientWatch(0);
  for (let second = 1; second < 100; second++) {
    const sight = { ...open, receivedBytes: 100 * second, exchanges: 1 };
    watch.answered(sight, 1000 * second);
    expect(watch.look(sight, 1000 * second + 500, patience)).toBeUndefined();
  }
});
