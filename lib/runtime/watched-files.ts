// Files that others replace while we run, such as those of a mounted Secret. They are read again every few seconds rather
// than watched: the kubelet swaps a symlink above them, which a watch on the file itself would not see.
import { readFileBytes } from "./files.ts";

const pollIntervalMs = 5000;

/**
 * Hands the texts of the files to `use`, now and whenever one has changed; returns what ends that. What reading and `use`
 * throw is thrown the first time; later it goes to `refused`, once for each reason or content.
 */
export function useFiles(
  files: readonly string[],
  use: (...texts: string[]) => void,
  refused: (error: Error) => void,
  intervalMs = pollIntervalMs,
): () => void {
  let used = "";
  let unreadable = "";
  const look = () => {
    const texts = files.map((file) => new TextDecoder().decode(readFileBytes(file)));
    unreadable = "";
    const seen = JSON.stringify(texts);
    if (seen === used) return;
    used = seen;
    use(...texts);
  };
  const lookAgain = () => {
    try {
      look();
    } catch (error: unknown) {
      const { message } = error as Error;
      if (message !== unreadable) refused(error as Error);
      unreadable = message;
    }
  };
  look();
  const timer = setInterval(lookAgain, intervalMs);
  return () => clearInterval(timer);
}
