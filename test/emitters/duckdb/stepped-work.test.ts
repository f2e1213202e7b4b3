import { describe, expect, it } from 'vitest';
import { SteppedWork, type StepResult } from '../../../src/emitters/duckdb/stepped-work.ts';
import { SerialQueue } from '../../../src/runtime/async/serial-queue.ts';

/** Work whose steps have these results, one after another. */
function workWith(results: StepResult[]) {
  const turns = new SerialQueue();
  const log: string[] = [];
  const work = new SteppedWork(turns, async () => {
    log.push('step');
    return results.shift() ?? 'done';
  });
  /** Resolves when all steps that follow each other are over. */
  const settled = async () => {
    for (let turn = 0; turn < 10; turn++) await turns.run(async () => {});
  };
  return { turns, log, work, settled };
}

describe('work in steps', () => {
  it('continues while there is more, with other turns in between', async () => {
    const { turns, log, work, settled } = workWith(['more', 'done']);
    work.begin();
    void turns.run(async () => void log.push('flush'));
    await settled();
    expect(log).toEqual(['step', 'flush', 'step']);
  });

  it('stays due when a step could do nothing, until it is continued', async () => {
    const { log, work, settled } = workWith(['later', 'done']);
    work.begin();
    await settled();
    expect(log).toEqual(['step']);
    work.continue();
    await settled();
    work.continue();
    await settled();
    expect(log).toEqual(['step', 'step']);
  });

  it('has one step at a time, however often it is begun', async () => {
    const { log, work, settled } = workWith(['done']);
    for (let count = 0; count < 3; count++) work.begin();
    await settled();
    expect(log).toEqual(['step']);
  });
});
