import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Returns the share of the time since the previous call in which the event loop worked, from 0 to 1. */
export function utilizationMeter(): () => number {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
