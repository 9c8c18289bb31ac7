import { afterAll, expect, test } from "bun:test";
import pino from "pino";
import { Recorder } from "../../lib/controller/recorder.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { fixedConnection } from "../kube/test-server.ts";
import { loadTest } from "../plan/finished-pods.ts";

let recorded = 0;
let open: () => void = () => {};
const opened = new Promise<void>((resolve) => {
  open = resolve;
});
const server = Bun.serve({
  port: 0,
  fetch: async (request) => {
    await opened;
    recorded++;
    return new Response(await request.text());
  },
});
const client = new HttpKubeClient(fixedConnection(`http://localhost:${server.port}`, { tls: {}, headers: {} }));

afterAll(() => server.stop(true));

test("Events that nobody takes are kept up to a limit; those beyond it are counted in two lines, not one by one", async () => {
  const lines: { msg: string; events?: number }[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const recorder = new Recorder(client, "here", log, () => false);
  for (let index = 0; index < 10_100; index++)
    recorder.record(loadTest({}), [{ type: "Normal", reason: "Started", action: "Start", note: `${index}` }] as never);
  expect(lines.map(({ msg }) => msg)).toEqual(["too many Events wait, new ones are dropped"]);
  open();
  while (lines.length < 2) await Bun.sleep(20);
  expect(lines[1]).toMatchObject({ msg: "Events were dropped", events: 96 });
  expect(recorded).toBeGreaterThanOrEqual(10_000);
  await recorder.stop();
}, 60_000);
