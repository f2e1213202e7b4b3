import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addLagMetrics, EventLoopLag } from '../../src/runtime/event-loop-lag.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A clock whose timers are late by `lateMs`. */
class LateClock extends FakeClock {
  lateMs = 0;
  timers = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.lateMs;
  }

  override after(ms: number, callback: () => void) {
    this.timers++;
    this.lateMs = 0;
    return super.after(ms, callback);
  }
}

test('an idle process is sampled once a second, a busy one 50 times', async () => {
  const clock = new LateClock();
  let utilization = 0;
  const lag = new EventLoopLag(clock, () => utilization);
  await clock.advance(10_000);
  expect(clock.timers).toBe(11);
  utilization = 0.5;
  await clock.advance(1000);
  clock.timers = 0;
  await clock.advance(10_000);
  expect(clock.timers).toBe(500);
  lag.stop();
  expect(clock.waiting).toBe(0);
});

test('shows how late the timers were since the previous scrape', async () => {
  const clock = new LateClock();
  const lag = new EventLoopLag(clock, () => 0);
  const registry = new Registry();
  addLagMetrics(lag, 'x_', registry);
  await clock.advance(999);
  clock.lateMs = 250;
  await clock.advance(1);
  const text = await registry.metrics();
  const max = Number(/^x_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]);
  expect(max).toBeCloseTo(0.25, 2);
  expect(await registry.metrics()).toMatch(/^x_nodejs_eventloop_lag_max_seconds 0$/m);
});

test('each process has the metrics of the lag, and only the timer of its own measurement', async () => {
  const clock = new FakeClock();
  const text = await createMetrics({ prefix: 'x_', version: '1', clock }).metrics();
  for (const name of ['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'])
    expect(text).toContain(`# TYPE x_nodejs_eventloop_lag_${name}seconds gauge`);
  expect(clock.waiting).toBe(1);
});
