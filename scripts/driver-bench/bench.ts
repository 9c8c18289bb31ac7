// What all suites share: what is compared, how long, and where it may run.
import type { InstalledPeer } from "./peer.ts";

export interface Bench {
  /** The loadtest executable. */
  binary: string;
  /** Installed and wanted, loadtest first. */
  peers: readonly InstalledPeer[];
  /** undefined: the suite's own number. */
  runs: number | undefined;
  seconds: number | undefined;
  /** For temporary files, gone afterwards. */
  folder: string;
  serverCore: number;
  generatorCore: number;
  stop: AbortSignal;
  /** Progress, for people. */
  say: (text: string) => void;
}

/** A part of the report, as Markdown without a heading. */
export interface Section {
  title: string;
  markdown: string;
}
