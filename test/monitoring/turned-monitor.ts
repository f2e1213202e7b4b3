import { onTestFinished } from 'vitest';
import type { AlertPage, AlertPager } from '../../src/monitoring/alert-pager.ts';
import { createMonitor } from '../../src/monitoring/create-monitor.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { MonitorStore } from './monitor-store.ts';

/** Keeps all calls, in one list. */
export class MemoryPager implements AlertPager {
  readonly told: string[] = [];
  readonly #open = new Map<string, AlertPage>();
  readonly #unevaluated = new Set<string>();

  firing(page: AlertPage): void {
    this.told.push(`firing ${nameOf(page)}`);
    this.#open.set(nameOf(page), page);
  }

  resolved(page: AlertPage, { mayBeOpenElsewhere = false } = {}): void {
    if (this.#open.delete(nameOf(page)) || mayBeOpenElsewhere) this.told.push(`resolved ${nameOf(page)}`);
  }

  open(): readonly AlertPage[] {
    return [...this.#open.values()];
  }

  cannotEvaluate(alert: string, { reason }: { readonly reason: string }): void {
    this.told.push(`cannot evaluate ${alert}: ${reason}`);
    this.#unevaluated.add(alert);
  }

  canEvaluate(alert: string): void {
    if (this.#unevaluated.delete(alert)) this.told.push(`can evaluate ${alert}`);
  }

  unevaluated(): readonly string[] {
    return [...this.#unevaluated];
  }
}

function nameOf({ alert, segment }: AlertPage): string {
  return segment === null ? alert : `${alert}/${segment}`;
}

/** A monitor whose time a test turns by hand. Monitors that share a clock are turned together. */
export function turnedMonitor(store: MonitorStore, clock: FakeClock, holder = 'first') {
  const pager = new MemoryPager();
  const { logger, lines } = capturedLogger();
  const monitor = createMonitor({ database: store.database, clock, logger, pager, holder });
  onTestFinished(() => monitor.stop(new AbortController().signal));
  return { monitor, pager, lines };
}

/**
 * Advances the time in steps; after each step, `monitors` finish the work that is due. Work that becomes due
 * during a step runs at its end.
 */
export async function pass(
  clock: FakeClock,
  seconds: number,
  { monitors = 1, step = 1 } = {},
): Promise<void> {
  await untilWaiting(clock, monitors);
  for (let passed = 0; passed < seconds; passed += step) {
    await clock.advance(Math.min(step, seconds - passed) * 1000);
    await untilWaiting(clock, monitors);
  }
}

export async function untilWaiting(clock: FakeClock, monitors = 1): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (clock.waiting < monitors) {
    if (Date.now() > deadline) throw new Error(`${clock.waiting} of ${monitors} monitors are waiting`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
