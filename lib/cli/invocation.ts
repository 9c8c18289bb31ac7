// By which name this program was called, and so what for. kubectl runs `kubectl-loadtest` for `kubectl loadtest`, and
// `kubectl_complete-loadtest` with the words so far to complete them
// (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/): both may be links to this one binary.

export interface Invocation {
  /** As users type it, in usage lines. */
  programName: "loadtest" | "kubectl loadtest";
  /** The words to complete, the last of them perhaps empty; absent: the arguments are to be carried out. */
  words?: readonly string[];
}

/** What the completion scripts of shells call first. */
export const completeCommand = "__complete";

export function invocationOf(calledAs: string, args: readonly string[]): Invocation {
  if (calledAs.startsWith("kubectl_complete-")) return { programName: "kubectl loadtest", words: args };
  const programName = calledAs.startsWith("kubectl-") ? "kubectl loadtest" : "loadtest";
  return args[0] === completeCommand ? { programName, words: args.slice(1) } : { programName };
}

/** Help as it is typed here: a line of an example begins with the program's name. */
export function asTyped(help: string, { programName }: Invocation): string {
  return programName === "loadtest" ? help : help.replace(/^( *(?:\| *)?)loadtest(?= [a-z])/gm, `$1${programName}`);
}
