import { expect } from 'vitest';
import type { Cancel } from '../../../src/runtime/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export const TICK_MS = 60_000;
/** For work in a database of a machine that is busy; no test measures it. */
const PATIENCE_MS = 120_000;

/** Knows how many turns of housekeeping have ended: each asks for the next at its end. */
export class TickingClock extends FakeClock {
  ticks = 0;

  override after(ms: number, callback: () => void): Cancel {
    if (ms === TICK_MS) this.ticks++;
    return super.after(ms, callback);
  }

  async turnEnded(ticks: number): Promise<void> {
    await expect.poll(() => this.ticks, { timeout: PATIENCE_MS, interval: 10 }).toBe(ticks);
  }
}
