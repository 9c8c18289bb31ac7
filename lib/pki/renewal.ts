// When to renew: with a third of the life left, there is time for retries and for the new certificate to spread.

/** The instant when two thirds of the life are over, whole milliseconds. */
export function renewAtMs({ notBeforeMs, notAfterMs }: { notBeforeMs: number; notAfterMs: number }): number {
  return notBeforeMs + Math.floor(((notAfterMs - notBeforeMs) * 2) / 3);
}
