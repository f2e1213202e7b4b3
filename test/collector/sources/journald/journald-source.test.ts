import { chmod, mkdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  JOURNALD_TABLE,
  type JournalCheckpoint,
} from '../../../../src/collector/sources/journald/journal-state.ts';
import { checkOf } from '../../../../src/records/check.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { BOOTS, entriesOf, MISSING_JOURNAL_FILES, writeJournal } from '../../../support/journal-files.ts';
import { TakenBytes } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { bodiesOf, openedSource, recordsOf } from './opened-source.ts';

const PATIENT = { timeout: 20_000, interval: 20 };
const START_US = 1_700_000_000_000_000;

const messages = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `message ${from + index}`);

const why = MISSING_JOURNAL_FILES === undefined ? '' : ` (skipped: ${MISSING_JOURNAL_FILES})`;

describe.skipIf(MISSING_JOURNAL_FILES !== undefined)(`the source journald${why}`, () => {
  async function places() {
    const state = await temporaryDirectory();
    const journal = join(state, 'journal');
    await mkdir(journal);
    const file = join(journal, 'a.journal');
    return { state, journal, file };
  }

  /** A program in the place of journalctl. */
  async function script(directory: string, text: string) {
    const path = join(directory, 'journalctl');
    await writeFile(path, `#!/bin/bash\n${text}\n`);
    await chmod(path, 0o755);
    return path;
  }

  const until = (taken: TakenBytes, expected: readonly string[]) =>
    vi.waitFor(() => expect(bodiesOf(taken)).toEqual(expected), PATIENT);

  test('reads the entries of all boots, and the time and fields of each', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, [
      { message: 'old boot', timeUs: START_US, boot: BOOTS[0], fields: ['PRIORITY=3', '_PID=7'] },
      { message: 'new boot', timeUs: START_US + 5, boot: BOOTS[1] },
    ]);
    const { source, sink, taken } = await openedSource([{ directory: journal, resource: { a: 'b' } }], {
      state,
    });
    await source.start(sink);
    await until(taken, ['old boot', 'new boot']);
    const [first] = recordsOf(taken);
    expect(first).toMatchObject({ timeUnixNano: BigInt(START_US) * 1000n, severityText: 'err' });
    expect(first?.attributes.get('host.boot.id')).toBe(BOOTS[0]);
    expect(first?.attributes.get('process.pid')).toBe(7);
    expect(first?.resource.get('a')).toBe('b');
  });

  test('reads only the entries of the configured units', async () => {
    const { state, file } = await places();
    await writeJournal(
      file,
      ['a', 'b', 'c', 'a'].map((unit, index) => ({
        message: `${unit}${index}`,
        timeUs: START_US + index,
        fields: [`_SYSTEMD_UNIT=${unit}.service`],
      })),
    );
    const units = ['a.service', 'c.service'];
    const { source, sink, taken } = await openedSource([{ files: [file], units }], { state });
    await source.start(sink);
    await until(taken, ['a0', 'c2', 'a3']);
    expect(source.accepted?.().records).toBe(3);
  });

  test('reads only new entries with "start": "end", also after a restart', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, entriesOf(messages(0, 5), START_US));
    const configuration = [{ directory: journal, start: 'end' }];
    const first = await openedSource(configuration, { state });
    await first.source.start(first.sink);
    const cursorOf = () => {
      const table = first.store.table<JournalCheckpoint>(JOURNALD_TABLE);
      return Array.from(table.entries(), ({ value }) => value.mark.cursor);
    };
    await vi.waitFor(() => expect(cursorOf()).toEqual([expect.stringContaining('i=5;')]), PATIENT);
    await first.close();
    await writeJournal(file, entriesOf(messages(5, 7), START_US + 5));
    const second = await openedSource(configuration, { state });
    await second.source.start(second.sink);
    await until(second.taken, messages(5, 7));
  });

  test('reports entries that were removed unread, once, and continues with the next one', async () => {
    const { state, journal, file } = await places();
    const taken = new TakenBytes();
    await writeJournal(file, entriesOf(messages(0, 5), START_US));
    const first = await openedSource([{ directory: journal }], { state, taken });
    await first.source.start(first.sink);
    await until(taken, messages(0, 5));
    await first.close();
    await unlink(file);
    const second = await openedSource([{ directory: journal }], { state, taken });
    await second.source.start(second.sink);
    await vi.waitFor(
      async () => expect(await second.metric('collector_journald_cursors_gone_total')).toBe(1),
      PATIENT,
    );
    await second.close();
    await writeJournal(join(journal, 'b.journal'), entriesOf(messages(10, 13), START_US + 10));
    const third = await openedSource([{ directory: journal }], { state, taken });
    await third.source.start(third.sink);
    await until(taken, [...messages(0, 5), ...messages(10, 13)]);
    expect((await third.metric('collector_journald_cursors_gone_total')) ?? 0).toBe(0);
    expect(second.lines).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('removed before'), lostEntries: 'unknown' }),
    );
  });

  test('reads the other files when one is corrupt, and reports it with an action', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, entriesOf(messages(0, 3), START_US));
    await writeFile(join(journal, 'broken.journal'), Buffer.alloc(16_384, 'x'));
    const { source, sink, taken, lines } = await openedSource([{ directory: journal }], { state });
    await source.start(sink);
    await until(taken, messages(0, 3));
    await vi.waitFor(
      () =>
        expect(lines).toContainEqual(
          expect.objectContaining({
            msg: 'journalctl reports a problem',
            note: expect.stringContaining('broken.journal'),
            action: expect.stringContaining('--verify'),
          }),
        ),
      PATIENT,
    );
  });

  test('waits for a missing journalctl, reports why, and reads when it is installed', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, entriesOf(messages(0, 3), START_US));
    const command = join(state, 'journalctl');
    const { source, sink, taken, lines } = await openedSource([{ directory: journal, command }], { state });
    await source.start(sink);
    await vi.waitFor(() => expect(source.status().failure).toContain('ENOENT'), PATIENT);
    expect(lines.find(({ msg }) => msg.startsWith('Cannot read the journal'))).toMatchObject({
      action: expect.stringContaining('Install systemd'),
    });
    await symlink('/usr/bin/journalctl', command);
    await until(taken, messages(0, 3));
    await vi.waitFor(() => expect(source.status().failure).toBeUndefined(), PATIENT);
  });

  test('reads each entry once when journalctl dies within entries again and again', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, entriesOf(messages(0, 60), START_US));
    const runs = join(state, 'runs');
    const command = await script(
      state,
      `echo run >> '${runs}'
      if [ "$(wc -l < '${runs}')" -gt 5 ]; then exec /usr/bin/journalctl "$@"; fi
      exec head -c 5000 < <(exec /usr/bin/journalctl "$@")`,
    );
    const { source, sink, taken, lines } = await openedSource([{ directory: journal, command }], { state });
    await source.start(sink);
    await until(taken, messages(0, 60));
    expect(taken.repeatedBytes).toBe(0);
    expect(taken.streamIds).toHaveLength(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ reason: 'the output of journalctl ended within an entry' }),
    );
  });

  test('advances the saved cursor while no entry matches', async () => {
    const { state, journal, file } = await places();
    const entry = (message: string, timeUs: number, unit: string) => ({
      ...{ message, timeUs, fields: [`_SYSTEMD_UNIT=${unit}`] },
    });
    await writeJournal(file, [entry('wanted', START_US, 'a.service')]);
    const clock = new FakeClock();
    const { source, sink, taken, store } = await openedSource(
      [{ directory: journal, units: ['a.service'] }],
      {
        ...{ state, clock },
      },
    );
    await source.start(sink);
    await until(taken, ['wanted']);
    await writeJournal(file, [entry('other', START_US + 1, 'b.service')]);
    const cursors = () =>
      Array.from(store.table<JournalCheckpoint>(JOURNALD_TABLE).entries(), ({ value }) => value.mark.cursor);
    await vi.waitFor(async () => {
      await clock.advance(5 * 60_000);
      expect(cursors()).toEqual([expect.stringContaining('i=2;')]);
    }, PATIENT);
    await writeJournal(file, [entry('wanted too', START_US + 2, 'a.service')]);
    await until(taken, ['wanted', 'wanted too']);
  });

  test('continues in a new stream when the aggregator has other bytes', async () => {
    const { state, journal, file } = await places();
    await writeJournal(file, entriesOf(messages(0, 3), START_US));
    const { source, sink, taken } = await openedSource([{ directory: journal }], { state });
    const wrong = { end: 1_000_000, check: checkOf(Buffer.from('other')), contiguousEnd: 100 };
    const known = vi.spyOn(taken, 'known').mockReturnValueOnce(wrong);
    await source.start(sink);
    await until(taken, messages(0, 3));
    expect(known).toHaveBeenCalledTimes(2);
    expect(sink.opened).toHaveLength(2);
    expect(sink.closed).toEqual(sink.opened.slice(0, 1));
  });

  test('continues in a new stream when entries that must be read again are gone', async () => {
    const { state, journal, file } = await places();
    const taken = new TakenBytes();
    await writeJournal(file, entriesOf(messages(0, 2), START_US));
    const first = await openedSource([{ directory: journal }], { state, taken });
    await first.source.start(first.sink);
    await until(taken, messages(0, 2));
    // The aggregator has these, but its acceptances do not arrive.
    first.sink.accepting = false;
    await writeJournal(file, entriesOf(messages(2, 5), START_US + 2));
    await until(taken, messages(0, 5));
    await first.close();
    await unlink(file);
    await writeJournal(join(journal, 'b.journal'), entriesOf(messages(10, 13), START_US + 10));
    const second = await openedSource([{ directory: journal }], { state, taken });
    await second.source.start(second.sink);
    await until(taken, [...messages(0, 5), ...messages(10, 13)]);
    expect(taken.streamIds).toHaveLength(2);
  });

  test('ends a run that reads all existing entries when journalctl fails, and names the journal', async () => {
    const { state, journal } = await places();
    const command = join(state, 'missing');
    const { source, sink } = await openedSource([{ directory: journal, command }], { state, once: true });
    await source.start(sink);
    await source.drained();
    expect(source.left?.()).toEqual([{ path: `journald --directory=${journal}`, reason: 'unreadable' }]);
  });
});
