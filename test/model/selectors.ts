// Selectors as far as this program writes them: of labels `name`, `name=value`, of fields `path=value`, several joined by
// commas.

export function selects(selector: string | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  if (selector === undefined || selector === "") return true;
  return selector.split(",").every((term) => {
    const [name = "", value] = term.split(/==?/);
    return value === undefined ? name in labels : labels[name] === value;
  });
}

/** Whether the object has these fields: `metadata.name=web`, `involvedObject.uid=…,type=Warning`. */
export function selectsByFields(selector: string | undefined, object: object): boolean {
  if (selector === undefined || selector === "") return true;
  return selector.split(",").every((term) => {
    const [path = "", value] = term.split("=");
    const field = path
      .split(".")
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object);
    return field === value;
  });
}
