// A sender that only keeps time, to know how exact the referee is: metronome-process.ts.
import { join } from "node:path";
import type { Peer } from "../peer.ts";

export const metronome: Peer = {
  name: "metronome",
  program: "bun",
  versionCommand: (path) => [path, "--version"],
  canSaturate: false,
  canPace: true,
  warmUpSeconds: 0,
  args: ({ url, ratePerSecond, seconds }) => [
    join(import.meta.dir, "../metronome-process.ts"),
    url,
    String(ratePerSecond),
    String(seconds),
  ],
  read: ({ stdout }) => ({ ...JSON.parse(stdout), problems: {} }),
};
