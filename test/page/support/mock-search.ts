import { fieldValue } from '../../../src/page/records/entry-fields.ts';
import type { LogEntry } from '../../../src/page/records/log-entry.ts';
import { parseMoment } from '../../../src/page/text/times.ts';

const ORDER = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** The records that a request selects. It understands what the page writes: tests joined by `and`. */
export function selected(
  records: readonly LogEntry[],
  query: URLSearchParams,
  nowMs: number,
): readonly LogEntry[] {
  const from = momentOf(query.get('from'), nowMs, 0);
  const to = momentOf(query.get('to'), nowMs, Number.POSITIVE_INFINITY);
  const text = query.get('text')?.toLowerCase();
  const least = ORDER.indexOf(query.get('severity') ?? '');
  const tests = query.getAll('where').flatMap((where) => where.split(/ and /).map(testOf));
  return records.filter((entry) => {
    const ms = Date.parse(entry.time);
    if (ms < from || ms >= to) return false;
    if (text !== undefined && !entry.body.toLowerCase().includes(text)) return false;
    if (least > 0 && ORDER.indexOf(entry.severity ?? '') < least) return false;
    return tests.every((test) => test(entry));
  });
}

function momentOf(text: string | null, nowMs: number, otherwise: number): number {
  return text === null ? otherwise : (parseMoment(text, nowMs) ?? otherwise);
}

/** Throws for anything else, as the aggregator does. */
function testOf(condition: string): (entry: LogEntry) => boolean {
  const [, name = '', operator = '', literal = ''] =
    /^(\S+) (==|!=|>=|contains\*) ("(?:[^"\\]|\\.)*"|[\w.-]+)$/.exec(condition.trim()) ?? [];
  if (name === '') throw new Error(`expected a comparison: ${condition}`);
  const value = literal.startsWith('"') ? (JSON.parse(literal) as string) : literal;
  return (entry) => {
    const actual = fieldValue(entry, name);
    if (operator === '==') return String(actual) === value;
    if (operator === '!=') return String(actual) !== value;
    if (operator === 'contains*') return String(actual).toLowerCase().includes(value.toLowerCase());
    return actual !== undefined && Number(actual) >= Number(value);
  };
}

export function histogramOf(records: readonly LogEntry[], query: URLSearchParams, nowMs: number): object {
  const to = momentOf(query.get('to'), nowMs, nowMs);
  const from = momentOf(query.get('from'), nowMs, to - 86_400_000);
  const intervalSeconds = Math.max(1, Math.ceil((to - from) / 100_000));
  const stepMs = intervalSeconds * 1000;
  const startMs = Math.floor(from / stepMs) * stepMs;
  const bars = Array.from({ length: Math.max(1, Math.ceil((to - startMs) / stepMs)) }, (_, at) => ({
    time: new Date(startMs + at * stepMs).toISOString(),
    count: 0,
    severities: { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0, none: 0 },
  }));
  for (const { time, severity } of records) {
    const bar = bars[Math.floor((Date.parse(time) - startMs) / stepMs)];
    if (bar === undefined) continue;
    bar.count++;
    bar.severities[severity ?? 'none']++;
  }
  return { intervalSeconds, total: records.length, bars };
}

const FIELDS = [
  ['severity', 'column', 'text'],
  ['host.name', 'column', 'text'],
  ['service.name', 'column', 'text'],
  ['source', 'column', 'text'],
  ['format', 'column', 'text'],
  ['http.response.status_code', 'attribute', 'number'],
  ['http.request.method', 'attribute', 'text'],
  ['url.path', 'attribute', 'text'],
  ['duration_ms', 'attribute', 'number'],
  ['user.id', 'attribute', 'text'],
] as const;

export function fieldsOf(records: readonly LogEntry[]): object {
  const fields = FIELDS.map(([name, kind, type]) => {
    const counts = new Map<string, number>();
    for (const entry of records) {
      const value = String(fieldValue(entry, name) ?? '');
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const values = [...counts]
      .map(([value, count]) => ({ value, count }))
      .toSorted((a, b) => b.count - a.count);
    return { name, kind, type, count: records.length, distinct: values.length, values: values.slice(0, 10) };
  });
  return { fields: records.length === 0 ? [] : fields, sampled: records.length, complete: true };
}
