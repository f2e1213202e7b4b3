import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

export const FILTER_METRICS = metricTable('aggregator_filter_', {
  errors: counter('errors_total', 'Values that a filter could not use, by line', {
    labels: ['emitter', 'file', 'line'],
  }),
  broken: gauge('broken', '1 while the file of a filter is invalid and the last valid version runs', {
    labels: ['emitter'],
    alarm: 'is 1: the last change of a filter has no effect',
  }),
});

interface OfEmitter {
  readonly emitter: string;
}

/** The events of the filters of all emitters. */
export const FILTER_EVENTS = defineEvents(FILTER_METRICS, (event) => ({
  changed: event<OfEmitter & { readonly filter: string | null }>({
    info: 'The emitter uses a changed filter',
  }),
  rejected: event<OfEmitter & { readonly problems: readonly string[] }>({
    error: 'A changed filter is invalid; the emitter keeps the earlier one',
  }),
  startedWithCopy: event<OfEmitter & { readonly filter: string; readonly problems: readonly string[] }>({
    error: 'The file of a filter is invalid; the emitter uses the last valid filter until the file is valid',
  }),
  notKept: event<OfEmitter & { readonly reason: string }>({
    warn: 'Cannot keep a copy of the filter; a start with an invalid file fails',
  }),
  unreadable: event<{ readonly reason: string }>({
    error: 'Cannot read the filters; the earlier ones stay in use',
  }),
  notWatched: event<{ readonly reason: string }>({
    warn: 'Cannot watch the filter directory; it is checked once a minute',
  }),
  broken: event<OfEmitter & { readonly isBroken: boolean }>({
    count: ({ broken }, { emitter, isBroken }) => broken.set(isBroken ? 1 : 0, { emitter }),
  }),
  errors: event<OfEmitter & { readonly file: string; readonly line: number; readonly count: number }>({
    count: ({ errors }, { emitter, file, line, count }) =>
      errors.inc(count, { emitter, file, line: String(line) }),
  }),
}));

export type FilterEvents = Reports<typeof FILTER_EVENTS.definitions>;
