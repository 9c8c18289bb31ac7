// Numbers as workers tell them. Anyone may write a line or a message like theirs, so each has bounds: those of hundreds
// add up to what JSON and the API server can hold, and instants are such as a date-time (RFC 3339) can say.
import Type from "typebox";

/** The last millisecond of the year 9999. */
const lastInstantMs = 253_402_300_799_999;
/** Some 30 years. */
export const longestSeconds = 1e9;

export function toldCount(description?: string) {
  return Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, ...described(description) });
}

/** Milliseconds since the Unix epoch. */
export function toldInstantMs(description?: string) {
  return Type.Number({ minimum: 0, maximum: lastInstantMs, ...described(description) });
}

export function toldSeconds(description?: string, minimum = 0) {
  return Type.Number({ minimum, maximum: longestSeconds, ...described(description) });
}

function described(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description };
}
