import { PassThrough, Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TextEmitter } from '../../../src/emitters/text/text-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { capturedOutput, emitterEnvironment } from '../../support/emitter-environment.ts';
import { settle } from '../../support/fake-clock.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;

async function started(
  stdout: NodeJS.WritableStream,
  format: 'body' | 'json' = 'body',
): Promise<TextEmitter> {
  const emitter = new TextEmitter({ format }, emitterEnvironment({ stdout }));
  await emitter.start();
  onTestFinished(() => emitter.stop(AbortSignal.abort()));
  return emitter;
}

async function printed(
  records: readonly (string | Uint8Array)[],
  { isTTY = false, format = 'body' as 'body' | 'json' } = {},
) {
  const stdout = Object.assign(capturedOutput(), { isTTY });
  const emitter = await started(stdout, format);
  expect(await emitter.emit(batchOf([recordBatch(records)]), never)).toEqual({ kind: 'delivered' });
  return stdout.bytes();
}

describe('bodies', () => {
  test('are separate lines without their CRLF', async () => {
    expect((await printed(['a\n', 'b\r\n', 'c\r\r\n', '\n', 'd'])).toString()).toBe('a\nb\nc\r\n\nd\n');
  });

  test('keep their bytes', async () => {
    expect([...(await printed([Uint8Array.of(0xff, 0x1b, 0x0a)]))]).toEqual([0xff, 0x1b, 0x0a]);
  });

  test('are escaped for a terminal', async () => {
    const body = await printed(
      ['\u001b[2J\tred\u0007 \u009b31m \u007f\u0000 two\nlines\r\n', 'ok \u00e9\n'],
      { isTTY: true },
    );
    expect(body.toString()).toBe('\\x1b[2J\tred\\x07 \\x9b31m \\x7f\\x00 two\\nlines\nok \u00e9\n');
  });
});

test('json is one object per line', async () => {
  const [first, second, end] = (await printed(['a\n', 'b\n'], { format: 'json' })).toString().split('\n');
  expect([first, second].map((line) => (JSON.parse(line ?? '') as { body: string }).body)).toEqual([
    'a',
    'b',
  ]);
  expect(end).toBe('');
});

describe('a reader', () => {
  test('that is slow delays emit, with one slice in memory', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 });
    const emitter = await started(stdout);
    const slice = recordBatch(lines(1000));
    let isSettled = false;
    const emitted = emitter.emit(batchOf([slice, slice, slice]), never).then((outcome) => {
      isSettled = true;
      return outcome;
    });
    await settle();
    expect(isSettled).toBe(false);
    expect(stdout.writableLength + stdout.readableLength).toBeLessThanOrEqual(slice.data.length * 2);
    stdout.resume();
    expect(await emitted).toEqual({ kind: 'delivered' });
  });

  test('that stops reading blocks one batch, and nothing is added to it', async () => {
    const stuck: Array<() => void> = [];
    const stdout = new Writable({ write: (_chunk, _encoding, done) => void stuck.push(done) });
    const emitter = await started(stdout);
    const controller = new AbortController();
    const emitted = emitter.emit(batchOf([recordBatch(['a\n'])]), controller.signal);
    await settle();
    controller.abort();
    expect(await emitted).toMatchObject({ kind: 'retry', reason: expect.stringContaining('not being read') });

    const again = new AbortController();
    const second = emitter.emit(batchOf([recordBatch(['a\n'])]), again.signal);
    await settle();
    expect(stdout.writableLength).toBe(2);
    again.abort();
    expect((await second).kind).toBe('retry');
    await emitter.stop(AbortSignal.abort());
  });

  test('that disconnected causes a retry each time and does not end the process', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    const emitter = await started(stdout);
    const batch = batchOf([recordBatch(['a\n'])]);
    expect(await emitter.emit(batch, never)).toEqual({
      kind: 'retry',
      reason: 'standard output is closed: it has no reader (EPIPE)',
    });
    expect(await emitter.emit(batch, never)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('closed'),
    });
  });
});

test('removes its listeners when stopped', async () => {
  const stdout = capturedOutput();
  const before = stdout.listenerCount('error');
  const emitter = await started(stdout);
  expect(stdout.listenerCount('error')).toBe(before + 1);
  await emitter.stop(never);
  await emitter.stop(never);
  expect(stdout.listenerCount('error')).toBe(before);
});
