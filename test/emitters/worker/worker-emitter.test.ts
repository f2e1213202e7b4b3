import { expect, test } from 'vitest';
import { WorkerEmitter } from '../../../src/emitters/worker/worker-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { capturedOutput, emitterEnvironment } from '../../support/emitter-environment.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const never = new AbortController().signal;

test('prints from a thread', async () => {
  const stdout = capturedOutput();
  const environment = emitterEnvironment({ stdout });
  const emitter = new WorkerEmitter({
    type: 'text',
    configuration: { format: 'body' },
    environment,
    execArgv: THREAD_ARGUMENTS,
  });
  await emitter.start();
  expect(await emitter.emit(batchOf([recordBatch(lines(3))]), never)).toEqual({ kind: 'delivered' });
  expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
  expect(stdout.bytes().toString()).toBe('line 0\nline 1\nline 2\n');
  await emitter.stop(never);
});
