// metronome-process.ts URL RATE SECONDS: sends a request at each instant of an even schedule, down one connection, and
// looks away from the clock only to empty the socket; nobody reads the responses. Prints how evenly it really sent.
import { monotonicNs } from "../../lib/runtime/clock.ts";
import { jitterUs } from "../../lib/stats/arrivals.ts";

/** Time enough for a look at the socket before the next request is due. */
const lookNs = 50e3;
/** Requests that may be sent without such time: the socket must be emptied now and then. */
const longestBurst = 16;

const [target = "", rateText, secondsText] = process.argv.slice(2);
const { hostname, port, host } = new URL(target);
const ratePerSecond = Number(rateText);
const count = Math.round(ratePerSecond * Number(secondsText));
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } });

const startNs = monotonicNs() + 100e6;
const dueNs = (index: number) => startNs + (index * 1e9) / ratePerSecond;
const sentNs = new Float64Array(count);
let sent = 0;

function send(): void {
  for (let burst = 0; sent < count && burst < longestBurst; burst++) {
    for (let untilNs = dueNs(sent) - monotonicNs(); untilNs > 0; untilNs = dueNs(sent) - monotonicNs()) {
      if (untilNs > lookNs) {
        setImmediate(send);
        return;
      }
    }
    if (socket.write(request) < request.length) throw new Error("Cannot keep time: the target does not keep up");
    sentNs[sent++] = monotonicNs();
  }
  if (sent < count) setImmediate(send);
  else end();
}

function end(): void {
  const perSecond = sent / ((monotonicNs() - startNs) / 1e9);
  process.stdout.write(JSON.stringify({ requests: sent, perSecond, sentJitterUs: jitterUs(sentNs) }));
  socket.end();
}

send();
