import { expect, test } from "bun:test";
import { Client, post } from "./client.ts";
import { reviewText } from "./reviews.ts";
import { serving } from "./serving.ts";

const request = post("/validate", reviewText("d-1"));

test("while draining it is unready and serves on, old and new connections, one last response on each", async () => {
  const server = await serving();
  const [used, idle] = [await server.open(), await server.open()];
  const over = new AbortController();
  const drained = server.admission.drain(600_000, over.signal);
  expect(server.admission.problem()).toBe("stopping");
  const late = await server.open();
  for (const client of [used, late]) {
    client.send(request);
    expect(await client.answer()).toMatchObject({ status: 200, headers: { connection: "close" } });
    await client.ended();
  }
  expect(idle.isEnded).toBe(false);
  over.abort();
  await drained;
  await idle.ended();
});

test("after draining, what is under way is finished and no more is accepted", async () => {
  const server = await serving();
  const [halfway, idle] = [await server.open(), await server.open()];
  halfway.send(post("/validate", reviewText("d-1"), { Expect: "100-continue" }).toString().split("{")[0] as string);
  await halfway.sees("100 Continue");
  const drained = server.admission.drain(0);
  await idle.ended();
  await expect(Client.open(server.port)).rejects.toThrow();
  halfway.send(reviewText("d-1"));
  expect(await halfway.answer()).toMatchObject({ status: 200, headers: { connection: "close" } });
  await drained;
});

test("a request that never ends does not hold up the end", async () => {
  const server = await serving({ limits: { connections: { exchangeMs: 500, idleMs: 600_000, count: 10 } } });
  const halfway = await server.open();
  halfway.send(request.subarray(0, -1));
  await server.admission.drain(0);
  await halfway.ended();
});
