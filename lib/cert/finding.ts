// What the doctor says of one thing.

export interface Finding {
  subject: string;
  level: "ok" | "warning" | "failure";
  message: string;
  /** What to do about it; absent when all is well. */
  remedy?: string;
  /** When what is looked at ends, RFC 3339. */
  expiresAt?: string;
}

export function ok(subject: string, message: string): Finding {
  return { subject, level: "ok", message };
}

export function warning(subject: string, message: string, remedy: string): Finding {
  return { subject, level: "warning", message, remedy };
}

export function failure(subject: string, message: string, remedy: string): Finding {
  return { subject, level: "failure", message, remedy };
}
