// Text of a file → its objects, read as kubectl reads YAML: version 1.1 booleans and octals, without that version's
// dates, base-60 numbers and merge surprises, several documents, and Lists opened.
import { type Document, LineCounter, parseAllDocuments, type Tags } from "yaml";

export interface ReadDocument {
  /** Counted from 1, in the file; the items of a List count as documents of their own. */
  index: number;
  object: unknown;
  /** Why the text could not be read; `object` is then undefined. */
  problem?: string;
}

/** All documents of a YAML or JSON text that hold something, in order. */
export function readDocuments(text: string): ReadDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: "1.1",
    merge: true,
    customTags: (tags: Tags) => tags.filter((tag) => typeof tag === "string" || !isForeignToKubectl(tag)),
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 100,
  } as Parameters<typeof parseAllDocuments>[1]);
  const found: ReadDocument[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const [object, problem] of openDocument(document, lines)) {
      found.push({ index: found.length + 1, object, ...(problem === undefined ? {} : { problem }) });
    }
  }
  return found;
}

function openDocument(document: Document.Parsed, lines: LineCounter): [object: unknown, problem?: string][] {
  const error = document.errors[0];
  if (error !== undefined) {
    const what = isTooDeep(error) ? "it is nested too deeply" : error.message;
    return [[undefined, `line ${lines.linePos(error.pos[0]).line}: ${what}`]];
  }
  let object: unknown;
  try {
    object = document.toJS({ maxAliasCount: 100 });
  } catch (error: unknown) {
    return [[undefined, (error as Error).message]]; // aliases that would expand without bound
  }
  if (object === null) return []; // a document of comments only
  const list = object as { kind?: unknown; apiVersion?: unknown; items?: unknown } | null;
  const isList = list?.kind === "List" && list.apiVersion === "v1" && Array.isArray(list.items);
  return isList ? (list.items as unknown[]).map((item) => [item]) : [[object]];
}

/** The parser recurses, and reports the end of its stack as an error of the text. */
function isTooDeep({ message }: Error): boolean {
  return message.startsWith("Maximum call stack");
}

function isForeignToKubectl(tag: { tag: string; format?: string | undefined }): boolean {
  return tag.format === "TIME" || tag.tag === "tag:yaml.org,2002:timestamp";
}
