// One wrong field of an object, as a value: which field, what it was, what it must be, and the rule that says so.

export interface FieldError {
  /** Path of the field, such as `spec.paths[2]`. */
  field: string;
  /** What was found there; absent when the field is missing. */
  value?: unknown;
  /** The schema keyword or the CEL rule that is broken, such as `maximum: 1000000`. */
  rule: string;
  /** What the field must be, to end a sentence with. */
  mustBe: string;
}

const longestValue = 60;

/** `spec.port: 99999, must be a port number from 1 to 65535`. Long values are cut. */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${formatValue(error)}, must be ${error.mustBe}`;
}

function formatValue(error: FieldError): string {
  if (!("value" in error)) return "is missing";
  const { value } = error;
  const text = typeof value === "number" ? `${value}` : (JSON.stringify(value) ?? `${value}`); // JSON has no infinity
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
