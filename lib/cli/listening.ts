// Servers of the command line: started, or a sentence on why they cannot be.

/** Why it cannot listen, and what would do, by the system's error code. */
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "address in use, must be a free port",
  EACCES: "permission denied, must be a port that this user may open",
  EADDRNOTAVAIL: "no address of this machine, must be one",
};

/** What `start` makes at the address. Rejects with the address and the reason when it cannot listen there. */
export async function listening<Server>(
  address: string,
  port: number,
  start: (address: string, port: number) => Server | Promise<Server>,
): Promise<Server> {
  try {
    return await start(address, port);
  } catch (error: unknown) {
    throw listenFailure(address, port, error);
  }
}

/** The error to throw in place of the system's. */
export function listenFailure(address: string, port: number, error: unknown): Error {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const isNoAddress = address === "" || message.startsWith("Failed to listen at"); // Bun gives these no code
  const other = isNoAddress ? reasons["EADDRNOTAVAIL"] : `${message}, must be an address of this machine`;
  const reason = reasons[code] ?? other;
  return new Error(`Cannot listen on "${address.includes(":") ? `[${address}]` : address}:${port}": ${reason}`);
}
