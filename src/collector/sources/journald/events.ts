import type { Amount } from '../../../records/amount.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['journal'];

export const JOURNALD_METRICS = metricTable('collector_journald_', {
  reading: gauge('reading', '1 while journalctl is running', {
    labels,
    alarm: 'is 0: journalctl is missing or fails',
  }),
  records: counter('records_total', 'Entries read', { labels }),
  bytes: counter('bytes_total', 'Bytes of entries read, in the export format', { labels }),
  shortened: counter('shortened_entries_total', 'Entries with fields that were too long', { labels }),
  gone: counter('cursors_gone_total', 'Saved cursors whose entry was gone: entries were removed unread', {
    labels,
  }),
  lost: counter('lost_entries_total', 'Entries that were removed unread, as far as their number is known', {
    labels,
  }),
  notes: counter('notes_total', 'Lines of journalctl about files it cannot read', { labels }),
});

interface OfJournal {
  readonly journal: string;
}

export const JOURNALD_EVENTS = defineEvents(JOURNALD_METRICS, (event) => ({
  reading: event<OfJournal>({
    info: 'Reading the journal',
    ends: ({ journal }) => journal,
    count: ({ reading }, { journal }) => reading.set(1, { journal }),
  }),
  failed: event<OfJournal & { readonly reason: string; readonly action: string }>({
    warn: 'Cannot read the journal; trying again',
    once: ({ journal, reason }) => ({ topic: journal, value: reason }),
    repeatAfterMs: 10 * 60_000,
    count: ({ reading }, { journal }) => reading.set(0, { journal }),
  }),
  read: event<OfJournal & Amount>({
    count: (metrics, { journal, records, bytes }) => {
      metrics.records.inc(records, { journal });
      metrics.bytes.inc(bytes, { journal });
    },
  }),
  shortened: event<OfJournal>({
    warn: 'An entry of the journal is too long; some of its fields are shortened',
    limit: { party: ({ journal }) => journal },
    count: ({ shortened }, { journal }) => shortened.inc(1, { journal }),
  }),
  cursorGone: event<OfJournal & { readonly cursor: string; readonly lostEntries: number | 'unknown' }>({
    warn: 'Entries of the journal were removed before they were read; give the journal more room (SystemMaxUse)',
    count: (metrics, { journal, lostEntries }) => {
      metrics.gone.inc(1, { journal });
      if (lostEntries !== 'unknown') metrics.lost.inc(lostEntries, { journal });
    },
  }),
  note: event<OfJournal & { readonly note: string; readonly action: string }>({
    warn: 'journalctl reports a problem',
    limit: { party: ({ journal }) => journal, burst: 10 },
    count: ({ notes }, { journal }) => notes.inc(1, { journal }),
  }),
  diverged: event<OfJournal & { readonly stream: string }>({
    warn: 'The aggregator has other bytes of this stream; reading the journal continues in a new stream',
  }),
  stateNotSaved: event<{ readonly err: unknown }>({
    error: 'Cannot save the cursors of journals; trying again',
  }),
}));

export type JournaldEvents = Reports<typeof JOURNALD_EVENTS.definitions>;
