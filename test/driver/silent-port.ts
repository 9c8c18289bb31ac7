// A port of a loopback address that answers no SYN: it listens, and its queue is full with the one connection that it
// has room for. Bun accepts whatever comes, so the listener is the C library's; Linux only.
import { dlopen, ptr } from "bun:ffi";
import { once } from "node:events";
import { connect } from "node:net";

const internet = 2;
const stream = 1;

/** Resolves with a function that closes the port again. */
export async function silentPort(address: string, port: number): Promise<() => void> {
  const int = "int" as const;
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: [int, int, int], returns: int },
    bind: { args: [int, "ptr", int], returns: int },
    listen: { args: [int, int], returns: int },
    close: { args: [int], returns: int },
  });
  const name = new Uint8Array(16); // sockaddr_in
  name.set([internet, 0, port >> 8, port & 255, ...address.split(".").map(Number)]);
  const listener = libc.socket(internet, stream, 0);
  if (libc.bind(listener, ptr(name), name.length) !== 0 || libc.listen(listener, 0) !== 0)
    throw new Error(`Cannot listen at "${address}:${port}"`);
  const only = connect(port, address);
  await once(only, "connect");
  return () => {
    only.destroy();
    libc.close(listener);
  };
}
