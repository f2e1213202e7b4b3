import { TIME_ZONE } from '../../formats/marker-attributes.ts';
import { numberToUnixNano } from '../../formats/number-to-unix-nano.ts';
import { parseRfc3339 } from '../../formats/rfc3339.ts';
import { parseUnzonedTime } from '../../formats/time/parse-local-time.ts';
import { wallTimeToUnixNano } from '../../formats/time/wall-time.ts';
import { isZone } from '../../formats/time/zone-offset.ts';
import type { RecordContext } from '../../records/record-context.ts';
import type { Resource } from '../../records/resource.ts';
import type { FilterRun } from '../filter-run.ts';
import { textOf } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';
import { compileTimeFormat, type TimeFormat } from './time-format.ts';

/** A time. As a statement, it sets the time of the record. */
export const timestamp: FilterFunction = {
  name: 'timestamp',
  usage: 'timestamp(VALUE, "%d/%b/%Y:%H:%M:%S %z", zone = "Europe/Paris")',
  values: [1, 2],
  named: ['zone'],
  compile: (call) => {
    const value = call.value(0);
    const zone = call.namedText('zone');
    if (zone !== undefined && !isZone(zone))
      call.fail(`expected a zone such as Europe/Paris or +02:00, found ${JSON.stringify(zone)}`);
    const text = call.count > 1 ? call.text(1, 'a format') : undefined;
    if (text === '') return call.fail('expected a format such as "%Y-%m-%d", found an empty text', 1);
    const format = text === undefined ? undefined : compileTimeFormat(text);
    if (typeof format === 'string') return call.fail(format, 1);
    call.writes('time');
    const read = (run: FilterRun): bigint | undefined => {
      const given = value(run);
      if (typeof given === 'bigint') return given;
      const shown = textOf(given);
      if (shown === undefined) return undefined;
      const time = parseTime(shown, format, contextOf(run, zone));
      if (time === undefined) call.error(run, 'not a time', shown);
      return time;
    };
    const run = (state: FilterRun): boolean => {
      const time = read(state);
      if (time !== undefined) state.change().timeUnixNano = time;
      return time !== undefined;
    };
    return { kind: 'value', read, run };
  },
};

function parseTime(text: string, format: TimeFormat | undefined, context: RecordContext): bigint | undefined {
  if (format === undefined)
    return parseRfc3339(text) ?? parseUnzonedTime(text, context) ?? numberToUnixNano(text);
  const wall = format(text);
  return typeof wall === 'object' ? wallTimeToUnixNano(wall, context) : wall;
}

/** The zone of the call, otherwise the one of the source. */
function contextOf({ record }: FilterRun, zone: string | undefined): RecordContext {
  return zone === undefined
    ? record
    : { resource: zoneResource(zone), observedTimeUnixNano: record.observedTimeUnixNano };
}

const resources = new Map<string, Resource>();

function zoneResource(zone: string): Resource {
  const known = resources.get(zone) ?? new Map([[TIME_ZONE, zone]]);
  resources.set(zone, known);
  return known;
}
