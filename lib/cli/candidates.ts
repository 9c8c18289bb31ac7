// What may follow on a command line, found in commander's commands and options, so that no list of them is kept twice.
// The form is that of cobra, which kubectl reads: `value<tab>description` a line, and what the shell is to do last.
import type { Argument, Command, Option } from "commander";

export interface Candidate {
  value: string;
  description?: string;
}

/** What a shell is to do with the candidates: bits of cobra's ShellCompDirective. */
export const Directive = { files: 0, noSpace: 2, noFiles: 4, folders: 16 } as const;

export interface Completion {
  candidates: readonly Candidate[];
  directive: number;
}

/** A value whose names are not the command line's: of the kubeconfig, or of the cluster that `flags` name. */
export interface Question {
  /** The option (`--context`), or the command and its argument's place (`status 0`). */
  about: string;
  /** Text flags so far, by commander's names. */
  flags: Readonly<Record<string, string>>;
}

export type NamesOf = (question: Question) => Promise<readonly string[]>;

/** @param words After the program's name; the last one is to be completed, and may be empty. */
export async function complete(program: Command, words: readonly string[], namesOf: NamesOf): Promise<Completion> {
  const word = words.at(-1) ?? "";
  const place = placeAfter(program, words.slice(0, -1));
  const { command, flags, open } = place;
  const values = async (about: string, value: Option | Argument, typed: string, before = "") =>
    within(await valuesOf(value, typed, () => namesOf({ about, flags })), typed, before);
  if (open !== undefined) return values(open.long ?? "", open, word);
  const [, name, typed] = place.isPastOptions ? [] : (/^(--[^=]+)=(.*)$/s.exec(word) ?? []);
  const named = name === undefined ? undefined : command.options.find(({ long }) => long === name);
  if (named !== undefined && typed !== undefined) return values(name as string, named, typed, `${name}=`);
  if (word.startsWith("-") && !place.isPastOptions) return within(optionsOf(command), word);
  if (place.arguments === 0 && command.commands.length > 0) return within(commandsOf(command), word);
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[place.arguments] ?? (last?.variadic ? last : undefined);
  if (argument === undefined) return { candidates: [], directive: Directive.noFiles };
  return values(`${command.name()} ${place.arguments}`, argument, word);
}

export function formatCompletion({ candidates, directive }: Completion): string {
  const lines = candidates.map(({ value, description }) => (description ? `${value}\t${description}` : value));
  return [...lines, `:${directive}`, ""].join("\n");
}

interface Place {
  command: Command;
  /** How many arguments were given. */
  arguments: number;
  flags: Record<string, string>;
  /** An option that waits for its value. */
  open: Option | undefined;
  isPastOptions: boolean;
}

function placeAfter(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, arguments: 0, flags: {}, open: undefined, isPastOptions: false };
  for (const word of words) step(place, word);
  return place;
}

function step(place: Place, word: string): void {
  const { command, open } = place;
  const isOption = !place.isPastOptions && word.startsWith("-") && word !== "-";
  if (open !== undefined && !(open.variadic && isOption)) {
    place.flags[open.attributeName()] = word;
    if (!open.variadic) place.open = undefined;
    return;
  }
  place.open = undefined;
  if (word === "--" && isOption) {
    place.isPastOptions = true;
  } else if (isOption) {
    const [, name = "", value] = /^(--[^=]+|-[^-])(?:=?(.+))?$/s.exec(word) ?? [];
    const option = command.options.find(({ long, short }) => long === name || short === name);
    if (!option?.required) return;
    if (value === undefined) place.open = option;
    else place.flags[option.attributeName()] = value;
  } else {
    const subcommand = command.commands.find((each) => each.name() === word);
    if (subcommand === undefined || place.arguments > 0) place.arguments++;
    else place.command = subcommand;
  }
}

/** Lists of names, separated by commas. */
const lists = ["--contexts"];

async function valuesOf(
  value: Option | Argument,
  typed: string,
  names: () => Promise<readonly string[]>,
): Promise<Completion> {
  if (value.argChoices !== undefined) return completion(value.argChoices);
  const word = "flags" in value ? value.flags : value.name();
  if (/\b(file|filename)\b[^>\]]*[>\]]?$/.test(word)) return { candidates: [], directive: Directive.files };
  if (/\bfolder\b/.test(word)) return { candidates: [], directive: Directive.folders };
  const found = await names();
  if (!("long" in value) || !lists.includes(value.long ?? "")) return completion(found);
  const given = typed.split(",").slice(0, -1);
  const rest = found.filter((name) => !given.includes(name)).map((name) => [...given, name].join());
  return { ...completion(rest), directive: Directive.noFiles | Directive.noSpace };
}

function completion(values: readonly string[]): Completion {
  return { candidates: values.map((value) => ({ value })), directive: Directive.noFiles };
}

function optionsOf(command: Command): Completion {
  const visible = command.createHelp().visibleOptions(command);
  const candidates = visible.map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
  return { candidates, directive: Directive.noFiles };
}

function commandsOf(command: Command): Completion {
  const visible = command.createHelp().visibleCommands(command);
  const candidates = visible.map((each) => ({ value: each.name(), description: each.description() }));
  return { candidates, directive: Directive.noFiles };
}

/** Those that begin with what was typed; `before` stands in the same word in front of it. */
function within({ candidates, directive }: Completion, typed: string, before = ""): Completion {
  const fitting = candidates.filter(({ value }) => value.startsWith(typed));
  return { candidates: fitting.map((each) => ({ ...each, value: before + each.value })), directive };
}
