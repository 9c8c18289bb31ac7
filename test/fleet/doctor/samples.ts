// What the doctor's tests share: an instant, placements, objects of which only the names matter, findings as words.
import type { Finding } from "../../../lib/cert/finding.ts";
import type { KubeObject } from "../../../lib/plan/objects.ts";
import { middleMs } from "../../pki/samples.ts";

export const cluster = { kind: "cluster" } as const;
export const namespaced = { kind: "namespaced", namespace: "mine" } as const;
export const nowMs = middleMs;
export const ago = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString();
export const said = ({ level, message }: Finding) => `${level}: ${message}`;
export const meta = (name: string, rest: object = {}) => ({ metadata: { name, ...rest } });
export const named = (kind: string, name: string, rest: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  ...meta(name, rest),
});
