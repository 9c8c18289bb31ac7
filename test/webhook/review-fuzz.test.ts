// Mutated reviews, sent to a real endpoint over kept connections: each gets a well-formed answer with its uid, if it has
// one. `scripts/fuzz admission` sends more of them, from other seeds.
import { expect, test } from "bun:test";
import { type Answer, type Client, post } from "./client.ts";
import { type Case, reviewCase } from "./review-cases.ts";
import { reviewText } from "./reviews.ts";
import { serving } from "./serving.ts";

const caseCount = Number(process.env["FUZZ_CASES"] ?? 2000);
const seed = Number(process.env["FUZZ_SEED"] ?? 1);
const clientCount = 8;

/** The uid that the answer must have; undefined when it must be a refusal. */
function uidOf(body: Buffer): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
  const request = isObject(value) && Object.hasOwn(value, "request") ? value["request"] : undefined;
  const uid = isObject(request) && Object.hasOwn(request, "uid") ? request["uid"] : undefined;
  return typeof uid === "string" && uid !== "" && depthOf(value) <= 128 ? uid : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((most, inner) => Math.max(most, depthOf(inner)), 0);
}

/** What is wrong with the answer; "" for nothing. */
function fault({ path, body }: Case, answer: Answer): string {
  const uid = uidOf(body);
  if (answer.headers["connection"] !== "keep-alive") return "the connection is not kept";
  if (uid === undefined) {
    const isRefusal = answer.status === 400 && /^Cannot review the request: [^\n]*, must [^\n]*\n$/.test(answer.body);
    return isRefusal ? "" : "must be a refusal";
  }
  if (answer.status !== 200) return `must have status 200 and uid ${JSON.stringify(uid)}`;
  const { apiVersion, kind, response } = JSON.parse(answer.body);
  if (apiVersion !== "admission.k8s.io/v1" || kind !== "AdmissionReview") return "is no AdmissionReview";
  if (response.uid !== uid) return `must have uid ${JSON.stringify(uid)}`;
  if (response.allowed !== (response.status === undefined)) return "must say why not, and only then";
  if (response.status?.code === 500) return "is an internal error";
  if ((response.patch === undefined) !== (response.patchType === undefined))
    return "must have patch and type, or neither";
  if (response.patch !== undefined && (path !== "/mutate" || !Array.isArray(JSON.parse(atob(response.patch))))) {
    return "has a patch that is none";
  }
  return path === "/mutate" && !response.allowed && response.status.code !== 400 ? "refuses to mutate" : "";
}

const megabytes = () => `${Math.round(process.memoryUsage.rss() / 1e6)} MB`;

test(`${caseCount} mutated reviews are each answered (seed ${seed})`, async () => {
  const server = await serving();
  const before = megabytes();
  let next = 0;
  const counts = { refused: 0, allowed: 0, denied: 0 };
  const send = async (client: Client) => {
    for (let index = next++; index < caseCount; index = next++) {
      const one = reviewCase(seed, index);
      client.send(post(one.path, one.body));
      const answer = await client.answer();
      const found = fault(one, answer);
      if (found !== "") {
        throw new Error(`seed ${seed}, case ${index}: the answer ${found}: ${JSON.stringify(answer)}\n${one.body}`);
      }
      const isAllowed = answer.body.includes('"allowed":true');
      counts[answer.status === 400 ? "refused" : isAllowed ? "allowed" : "denied"]++;
      if (index % 100 === 0) {
        client.send(post("/validate", reviewText(`valid-${index}`)));
        expect((await client.answer()).body).toContain(`"uid":"valid-${index}","allowed":true`);
      }
      server.logged.length = 0;
    }
  };
  const clients = await Promise.all(Array.from({ length: clientCount }, () => server.open()));
  await Promise.all(clients.map(send));
  console.info(`${JSON.stringify(counts)}, memory ${before} at the start, ${megabytes()} at the end`);
  // Cases that are all of one sort would test little.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(caseCount / 50);
  expect(await server.metric("loadtest_admission_panics_total")).toBe(0);
  server.admission.stop();
});
