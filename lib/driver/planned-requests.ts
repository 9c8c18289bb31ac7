// The requests of a plan as bytes, with the values that stand in files.
import { encodeRequest, type Header, headerProblem, type Origin } from "../load/request.ts";
import type { PlannedRequest } from "../load/worker-plan.ts";
import { readFileBytes, readTextFile } from "../runtime/files.ts";

/** One request as the driver sends it. */
export interface ReadyRequest {
  bytes: Uint8Array;
  isHead: boolean;
}

/** Reads what stands in files. Rejects with the file and the reason, or with the header that cannot be sent. */
export async function readyRequest(origin: Origin, planned: PlannedRequest): Promise<ReadyRequest> {
  const { method, path } = planned;
  const headers = await Promise.all(planned.headers.map(readHeader));
  const body = planned.bodyFile === undefined ? Buffer.from(planned.body ?? "") : readFileBytes(planned.bodyFile);
  return { bytes: encodeRequest(origin, { method, path, headers, body }), isHead: method === "HEAD" };
}

async function readHeader({ name, value, valueFile }: PlannedRequest["headers"][number]): Promise<Header> {
  // A file usually ends with a newline that is not part of the value.
  const header = { name, value: valueFile === undefined ? (value ?? "") : (await readTextFile(valueFile)).trim() };
  const problem = headerProblem(header);
  if (problem === undefined) return header;
  const where = valueFile === undefined ? "" : ` with the value in "${valueFile}"`;
  throw new Error(`Cannot send the header "${name}"${where}: ${problem}`);
}
