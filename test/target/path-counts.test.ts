import { expect, test } from "bun:test";
import fc from "fast-check";
import { maxPaths, PathCounts } from "../../lib/target/path-counts.ts";

function add(counts: PathCounts, path: string, hash: number): void {
  counts.add(Buffer.from(`GET ${path} `), 4, 4 + path.length, hash);
}

test("paths are counted as a map would count them, even when every hash collides", () => {
  const paths = fc.array(fc.stringMatching(/^\/[a-c]{0,4}$/), { maxLength: 300 });
  fc.assert(
    fc.property(paths, fc.boolean(), (sent, collide) => {
      const counts = new PathCounts();
      const expected = new Map<string, number>();
      for (const path of sent) {
        add(counts, path, collide ? -1 : Bun.hash.crc32(path));
        expected.set(path, (expected.get(path) ?? 0) + 1);
      }
      expect(new Map(counts.list().map(({ path, requests }) => [path, requests]))).toEqual(expected);
    }),
  );
});

test("the first 256 paths are counted separately, all others together under `other`, which comes last", () => {
  const counts = new PathCounts();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < maxPaths + 50; i++) add(counts, `/${i}`, Math.imul(i, 0x9e3779b1));
  }
  const list = counts.list();
  expect(list).toHaveLength(maxPaths + 1);
  expect(list.at(-1)).toEqual({ path: "other", requests: 100 });
  expect(list.slice(0, -1).every(({ requests }) => requests === 2)).toBe(true);
});

test("the most requested path comes first, equals by name", () => {
  const counts = new PathCounts();
  for (const path of ["/b", "/c", "/a", "/c"]) add(counts, path, path.charCodeAt(1));
  expect(counts.list().map(({ path }) => path)).toEqual(["/c", "/a", "/b"]);
});
