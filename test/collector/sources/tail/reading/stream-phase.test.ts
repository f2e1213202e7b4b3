import { describe, expect, it } from 'vitest';
import { StreamPhase } from '../../../../../src/collector/sources/tail/reading/stream-phase.ts';

describe('StreamPhase', () => {
  it('is opened, held back and opened again', () => {
    const phase = new StreamPhase(false);
    phase.holdBack();
    expect(phase.isHeldBack, 'a queued stream cannot be held back').toBe(false);
    phase.open();
    phase.holdBack();
    expect(phase).toMatchObject({ isOpened: true, isHeldBack: true, isEnded: false });
    phase.open();
    expect(phase).toMatchObject({ isOpened: true, isHeldBack: false, isEnded: false });
  });

  it('stays ended when it is opened or held back after the end', () => {
    const phase = new StreamPhase(false);
    phase.end();
    phase.open();
    phase.holdBack();
    expect(phase).toMatchObject({ isEnded: true, isHeldBack: false, isDiverged: false });
  });

  it('stays diverged after the end, because its replacement is still to come', () => {
    const phase = new StreamPhase(false);
    phase.open();
    expect(phase.diverge()).toBe(true);
    phase.end();
    expect(phase).toMatchObject({ isEnded: true, isDiverged: true });
  });

  it('does not diverge after the end', () => {
    const phase = new StreamPhase(false);
    phase.end();
    expect(phase.diverge()).toBe(false);
    expect(phase.isDiverged).toBe(false);
  });

  it('hands over once, also when the checkpoint has that it did', () => {
    expect(new StreamPhase(true).handOver()).toBe(false);
    const phase = new StreamPhase(false);
    expect(phase.handOver()).toBe(true);
    expect(phase.handOver()).toBe(false);
    expect(phase.isHandedOver).toBe(true);
  });
});
