import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Journal } from '../../../src/collector/journal/journal.ts';
import type { JournalOptions } from '../../../src/collector/journal/journal-options.ts';
import type { JournalWriter } from '../../../src/collector/journal/journal-writer.ts';
import type { RecordLabel } from '../../../src/collector/journal/record-run.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { openStateStore, type StateStore } from '../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { CapturedSink } from '../../support/captured-sink.ts';

export type OpenedJournal = Awaited<ReturnType<typeof openJournal>>;

export const LABEL: RecordLabel = { format: 'plain', resource: new Map([['host.name', 'h']]) };

interface Overrides extends Partial<JournalOptions> {
  readonly wrapState?: (state: StateStore) => StateStore;
}

/**
 * A journal with a real state store, attached to a sink. Closed by `close`, or at the end of the test.
 * `abandon` closes it without another attempt to write.
 */
export async function openJournal(
  directory: string,
  { wrapState = (state) => state, ...overrides }: Overrides = {},
) {
  const state = await openStateStore(`${directory}/state`);
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const journal = await Journal.open({
    name: 'test',
    directory,
    state: wrapState(state),
    maxBytes: 16 * 1024 * 1024,
    lossRecord: ({ records, bytes }) => Buffer.from(`lost ${records} records of ${bytes} bytes`),
    clock: systemClock,
    logger,
    metrics,
    freeSpace: { check: async () => undefined, shortage: undefined },
    ...overrides,
  });
  const sink = new CapturedSink();
  journal.attach(sink);
  let closed = false;
  const closeUntil = async (deadline: AbortSignal) => {
    if (closed) return;
    closed = true;
    await journal.stop(deadline);
    await state.close();
  };
  const close = () => closeUntil(AbortSignal.timeout(60_000));
  const abandon = () => closeUntil(AbortSignal.abort());
  onTestFinished(close);
  const metric = async (name: string) =>
    (await metrics.getSingleMetric(`collector_journal_${name}`)?.get())?.values[0]?.value;
  return { journal, sink, close, abandon, lines, metric, metrics };
}

/** Appends as a source does that cannot wait: drops what has no room. */
export function appendOrDrop(writer: JournalWriter, record: Uint8Array, label: RecordLabel): void {
  if (writer.append(record, label) === 'full') writer.drop(record.length, label);
}
