import { expect, test } from "bun:test";
import { parseCoreList, parseVersion } from "../../scripts/driver-bench/machine.ts";
import { medianInterval } from "../../scripts/driver-bench/statistics.ts";
import {
  formatFigure,
  formatRatio,
  formatShare,
  formatTable,
  replaceReport,
} from "../../scripts/driver-bench/table.ts";

test("formatTable() aligns figures to the right and escapes bars", () => {
  expect(formatTable(["who", "what"], [["a|b", "1"]])).toBe("| who | what |\n| --- | ---: |\n| a\\|b | 1 |\n");
});

test("formatFigure() keeps three significant digits, and all before the point", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [0.012345, "0.0123"],
    [1.5, "1.50"],
    [12.345, "12.3"],
    [123456.7, "123,457"],
    [-4.2, "-4.20"],
    [Number.NaN, "–"],
  ];
  for (const [value, text] of cases) expect(formatFigure(value)).toBe(text);
  expect(formatShare(0.0123)).toBe("1.23 %");
});

test("formatRatio() says on which side of the bar the interval is", () => {
  const words = { above: "faster", below: "slower" };
  expect(formatRatio(medianInterval([1.1, 1.2, 1.3, 1.4, 1.5]), 1, words)).toBe("1.30 (1.10–1.50), faster");
  expect(formatRatio(medianInterval([0.5, 0.6, 0.7, 0.8, 0.9]), 1, words)).toBe("0.70 (0.50–0.90), slower");
  expect(formatRatio(medianInterval([0.5, 0.6, 0.7, 0.8, 1.9]), 1, words)).toBe("0.70 (0.50–1.90), inconclusive");
});

test("replaceReport() replaces what is between the markers of the benchmark, and nothing else", () => {
  for (const name of ["driver", "controller"] as const) {
    const [begin, end] = [`<!-- bench:${name}:begin -->`, `<!-- bench:${name}:end -->`];
    expect(replaceReport(`a\n${begin}\nold\n${end}\nb\n`, "\nnew\n", name)).toBe(`a\n${begin}\nnew\n${end}\nb\n`);
    const without = ["", begin, `${end}\n${begin}`, "<!-- bench:other:begin -->\n<!-- bench:other:end -->"];
    for (const text of without) expect(() => replaceReport(text, "new", name)).toThrow("must have");
  }
});

test("parseVersion() finds the version in what each program says of itself", () => {
  const cases: [string, string | undefined][] = [
    ["wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer", "4.1.0"],
    ["h2load nghttp2/1.52.0\n", "1.52.0"],
    ["hey\t0.1.4-2+b4\n", "0.1.4"],
    ["k6 v1.8.1 (go1.26.8, linux/amd64)", "1.8.1"],
    ["oha 1.16.0\n", "1.16.0"],
    ["loadtest 0.1.0 (Bun 1.4.5)", "0.1.0"],
    ["nginx version: nginx/1.22.1", "1.22.1"],
    ["vegeta: go1.26.8\n\tpath\texample.org/vegeta/v12\n\tmod\texample.org/vegeta/v12\tv12.13.0\th1:x=", "12.13.0"],
    ["no version", undefined],
  ];
  for (const [words, version] of cases) expect(parseVersion(words)).toBe(version);
});

test("parseCoreList() reads the kernel's lists", () => {
  expect(parseCoreList("0-2,5")).toEqual([0, 1, 2, 5]);
  expect(parseCoreList("3")).toEqual([3]);
});
