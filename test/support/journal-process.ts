/**
 * A process that writes a journal for as long as it lives, for tests that kill it: numbered records of several origins,
 * read back as a publisher would, and some of them accepted. Prints one JSON line for each read, and one for each
 * position that the journal reports as flushed.
 *
 *     node --import ./test/support/typescript-loader.mjs test/support/journal-process.ts DIRECTORY LIFE
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Journal } from '../../src/collector/journal/journal.ts';
import type { SourceStream } from '../../src/collector/source.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openStateStore } from '../../src/storage/state/state-store.ts';

const [directory = '', life = ''] = process.argv.slice(2);
const state = await openStateStore(`${directory}/state`);
const journal = await Journal.open({
  name: 'test',
  directory,
  state,
  maxBytes: 32 * 1024 * 1024,
  lossRecord: () => Buffer.from('lost\n'),
  clock: systemClock,
  logger: pino({ level: 'silent' }),
  metrics: new Registry(),
});

const streams = new Map<StreamId, SourceStream>();
const reading = new Map<StreamId, Promise<void>>();
const next = new Map<StreamId, number>();
journal.attach({
  open: (stream) => void streams.set(stream.id, stream),
  wake: (id) => {
    reading.set(
      id,
      (reading.get(id) ?? Promise.resolve()).then(() => readOn(id)),
    );
  },
  close: (id) => void streams.delete(id),
});

/** Writes the whole line, also when the pipe accepts it in parts. */
function print(value: object): void {
  const line = `${JSON.stringify(value)}\n`;
  for (let rest = Buffer.from(line); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function readOn(id: StreamId): Promise<void> {
  const stream = streams.get(id);
  if (stream === undefined) return;
  const read = await stream.read(next.get(id) ?? stream.accepted, Buffer.alloc(1024 * 1024));
  if (read.kind !== 'records') return;
  const { start, data } = read.batch;
  next.set(id, start + data.length);
  print({ id, start, text: Buffer.from(data).toString() });
  if (Math.random() < 0.5) stream.accept(start + data.length);
}

const label = { format: 'plain', resource: new Map([['host.name', 'h']]) };
const writers = ['a', 'b', 'c'].map((origin) =>
  journal.writer(origin, { onFlushed: (end) => print({ origin, flushed: end }) }),
);
for (let number = 0; ; number++) {
  for (const writer of writers)
    writer.append(Buffer.from(`${life} ${number} ${'.'.repeat(Math.random() * 300)}\n`), label);
  if (number % 5 === 0) await systemClock.sleep(1);
}
