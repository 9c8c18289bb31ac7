import { expect, test } from "bun:test";
import { RecentServices } from "../../lib/controller/recent-services.ts";
import { ApiError } from "../../lib/kube/api-error.ts";
import type { KubeClient } from "../../lib/kube/client.ts";

const key = { namespace: "n", name: "web" };
const notFound = () => new ApiError({ method: "GET", path: "/", code: 404, body: "", retryAfter: null });

/** A client whose answers the test gives, in turn. */
function clientThat(...answers: (() => unknown)[]): { client: KubeClient; asked: () => number } {
  let asked = 0;
  const get = async () => answers[asked++]?.();
  return { client: { get } as unknown as KubeClient, asked: () => asked };
}

test("a Service that is there is asked for once, by all who come together", async () => {
  const recent = new RecentServices();
  const { client, asked } = clientThat(() => "web");
  const answers = await Promise.all([recent.get(client, key), recent.get(client, key)]);
  expect([...answers, await recent.get(client, key)] as unknown[]).toEqual(["web", "web", "web"]);
  expect(asked()).toBe(1);
});

test("one that is missing, or could not be asked for, is asked for again", async () => {
  const recent = new RecentServices();
  const fail = (error: Error) => () => {
    throw error;
  };
  const { client, asked } = clientThat(fail(notFound()), fail(new Error("no answer")), () => "web");
  expect(await recent.get(client, key)).toBeNull();
  expect(recent.get(client, key)).rejects.toThrow("no answer");
  await Bun.sleep(0);
  expect((await recent.get(client, key)) as unknown).toBe("web");
  expect(asked()).toBe(3);
});
