// What an honest generator reports when its target stands still once: a closed form, to hold all of them against.
//
//     W(u) = X − u (1 − ρ)                      wait of the arrival u after the stall began, 0 ≤ u ≤ X / (1 − ρ)
//     R_p  = X − (1 − p) T (1 − ρ) + s          where 1 − p < X / (T (1 − ρ)), else s
//     mean = s + X² / (2 T (1 − ρ))
//
//     T   run, seconds               ρ   arrival rate / rate at which the backlog drains afterwards
//     X   stall, seconds             s   service time without any stall, seconds
//
// Exact for even arrivals, one stall that the run outlasts together with its drain, and first come, first served.
import type { LatencyUs } from "./peer.ts";
import { median } from "./statistics.ts";

export interface Stall {
  runSeconds: number;
  stallSeconds: number;
  rho: number;
  serviceSeconds: number;
}

export function stallQuantileUs({ runSeconds, stallSeconds, rho, serviceSeconds }: Stall, share: number): number {
  return (Math.max(0, stallSeconds - (1 - share) * runSeconds * (1 - rho)) + serviceSeconds) * 1e6;
}

export function stallMeanUs({ runSeconds, stallSeconds, rho, serviceSeconds }: Stall): number {
  return (serviceSeconds + stallSeconds ** 2 / (2 * runSeconds * (1 - rho))) * 1e6;
}

export function stallLatencyUs(stall: Stall): LatencyUs {
  return {
    mean: stallMeanUs(stall),
    p90: stallQuantileUs(stall, 0.9),
    p95: stallQuantileUs(stall, 0.95),
    p99: stallQuantileUs(stall, 0.99),
    p999: stallQuantileUs(stall, 0.999),
  };
}

/** A figure below this says nothing about a stall: it is of requests that the stall did not touch. */
const leastUs = 10e3;

/** (found − expected) / expected for each figure; NaN where the stall does not show in it. */
export function deviationFrom(expectedUs: LatencyUs, foundUs: LatencyUs): LatencyUs {
  return eachFigure((name) => (expectedUs[name] < leastUs ? Number.NaN : foundUs[name] / expectedUs[name] - 1));
}

/** The median of each figure over several runs. */
export function medianLatency(runs: readonly LatencyUs[]): LatencyUs {
  return eachFigure((name) => median(runs.map((latency) => latency[name])));
}

function eachFigure(figure: (name: keyof LatencyUs) => number): LatencyUs {
  const [mean, p90, p95, p99, p999] = [figure("mean"), figure("p90"), figure("p95"), figure("p99"), figure("p999")];
  return { mean, p90, p95, p99, p999 };
}
