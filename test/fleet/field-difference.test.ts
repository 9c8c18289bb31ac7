import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { differencesOf } from "../../lib/fleet/field-difference.ts";

const rule = (resources: string[], verbs: string[], resourceNames?: string[]) => ({
  apiGroups: ["", "apps"],
  resources,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

const cases: [what: string, found: unknown, wanted: unknown, differences: unknown[]][] = [
  ["a value", { spec: { replicas: 3 } }, { spec: { replicas: 2 } }, [{ field: "spec.replicas", found: 3, wanted: 2 }]],
  ["a value that is missing", {}, { a: { b: 1 } }, [{ field: "a", wanted: { b: 1 } }]],
  ["a value too many", { a: 0 }, {}, [{ field: "a", found: 0 }]],
  ["null, which is not nothing", { a: null }, {}, [{ field: "a", found: null }]],
  ["a key with dots", { labels: { "a.b/c": "x" } }, { labels: {} }, [{ field: "labels[a.b/c]", found: "x" }]],
  [
    "a field of an item, by the item's name",
    { webhooks: [{ name: "w", timeoutSeconds: 30 }] },
    { webhooks: [{ name: "w", timeoutSeconds: 3 }] },
    [{ field: "webhooks[w].timeoutSeconds", found: 30, wanted: 3 }],
  ],
  ["items in another order", [{ name: "a" }, { name: "b" }], [{ name: "b" }, { name: "a" }], []],
  ["an item too many", [{ name: "a" }, { name: "b" }], [{ name: "a" }], [{ field: "[b]", found: { name: "b" } }]],
  [
    "items of the same name",
    [{ name: "a" }, { name: "a" }],
    [{ name: "a" }],
    [{ field: "", found: [{ name: "a" }, { name: "a" }], wanted: [{ name: "a" }] }],
  ],
  [
    "a rule too many",
    { rules: [rule(["pods"], ["get"]), rule(["secrets"], ["*"])] },
    { rules: [rule(["pods"], ["get"])] },
    [{ field: "rules[secrets.apps]", found: rule(["secrets"], ["*"]) }],
  ],
  [
    "a verb of a rule on named objects",
    { rules: [rule(["secrets"], ["get"], ["x"])] },
    { rules: [rule(["secrets"], ["get", "list"], ["x"])] },
    [{ field: "rules[secrets.apps x].verbs", found: ["get"], wanted: ["get", "list"] }],
  ],
  ["verbs in another order", { verbs: ["get", "list"] }, { verbs: ["list", "get"] }, []],
  [
    "arguments in another order",
    { args: ["a", "b"] },
    { args: ["b", "a"] },
    [{ field: "args", found: ["a", "b"], wanted: ["b", "a"] }],
  ],
  [
    "subjects of the same name and another kind",
    [{ kind: "User", name: "x" }],
    [{ kind: "Group", name: "x" }],
    [
      { field: "[Group/x]", wanted: { kind: "Group", name: "x" } },
      { field: "[User/x]", found: { kind: "User", name: "x" } },
    ],
  ],
];

describe("differencesOf()", () => {
  test.each(cases)("finds %s", (_, found, wanted, differences) => {
    expect(differencesOf(found, wanted) as unknown[]).toEqual(differences);
  });

  test("finds nothing between equal values, and something between others, the other way round as well", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect(differencesOf(one, structuredClone(one))).toEqual([]);
        const isSame = differencesOf(one, other).length === 0;
        expect(differencesOf(other, one).length === 0).toBe(isSame);
      }),
    );
  });

  test("of what only is wanted, leaves alone what a server may have filled in", () => {
    const found = { a: 1, b: 2, items: [{ name: "x", c: 3, d: 4 }] };
    expect(differencesOf(found, { a: 1, empty: [], items: [{ name: "x", c: 3 }] }, "wanted")).toEqual([]);
    expect(differencesOf(found, { a: 0, items: [{ name: "x", c: 5 }] }, "wanted")).toEqual([
      { field: "a", found: 1, wanted: 0 },
      { field: "items[x].c", found: 3, wanted: 5 },
    ]);
  });

  test("of what only is wanted, still finds an item too many", () => {
    const found = { rules: [rule(["pods"], ["get"]), rule(["secrets"], ["get"])] };
    expect(differencesOf(found, { rules: [rule(["pods"], ["get"])] }, "wanted")).toEqual([
      { field: "rules[secrets.apps]", found: rule(["secrets"], ["get"]) },
    ]);
  });
});
