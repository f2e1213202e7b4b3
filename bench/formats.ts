import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { formatNamed } from '../src/formats/registry.ts';
import type { RecordContext } from '../src/records/record-context.ts';

/**
 * The CPU time that one thread needs to parse a record of each format: `node .tmp/tools/bench/formats.js`. The numbers are
 * of parsing alone; the best of several rounds counts, because other work on the machine only adds time.
 */
export function formatCosts(): readonly FormatCost[] {
  return SAMPLES.map(([label, format, record]) => ({
    label,
    format,
    microseconds: bestMicroseconds(format, record),
  }));
}

export interface FormatCost {
  readonly label: string;
  readonly format: string;
  readonly microseconds: number;
}

const SAMPLES: readonly (readonly [label: string, format: string, record: string])[] = [
  [
    'combined',
    'combined',
    '10.0.0.1 - - [28/Nov/2026:10:00:00 +0000] "GET /a?b=1 HTTP/1.1" 200 2326 "-" "Mozilla/5.0 (X11)"\n',
  ],
  [
    'json',
    'json',
    '{"time":"2026-11-28T10:00:00.123Z","level":"info","msg":"request served","status":200,"ms":12}\n',
  ],
  [
    'syslog, RFC 3164',
    'syslog',
    "<34>Oct 11 22:14:15 mymachine su[4242]: 'su root' failed for lonvick on /dev/pts/8\n",
  ],
  [
    'syslog, RFC 5424',
    'syslog',
    '<165>1 2026-11-28T10:00:00.123456Z web1.example.com app 4242 ID47 - An application event log entry\n',
  ],
  [
    'syslog, structured data',
    'syslog',
    '<165>1 2026-11-28T10:00:00.123456Z web1 app 4242 ID47 [a@32473 iut="3" eventSource="App"] An event\n',
  ],
  [
    'syslog, ISO line of a file',
    'syslog',
    '2026-11-28T10:00:00.123456+00:00 web1 sshd[4242]: Accepted publickey for jane\n',
  ],
  [
    'syslog, Cisco',
    'syslog',
    '<189>123: Oct 11 22:14:15.123 UTC: %SEC-6-IPACCESSLOGP: list 1 denied tcp 10.0.0.1\n',
  ],
  [
    'plain',
    'plain',
    'a line of text without a format, as long as the other ones are in this table of samples\n',
  ],
];
const ROUNDS = 15;
const RECORDS = 20_000;
const CONTEXT: RecordContext = {
  resource: new Map([['host.name', 'h']]),
  observedTimeUnixNano: 1_795_861_200_000_000_000n,
};

function bestMicroseconds(format: string, record: string): number {
  const parser = formatNamed(format);
  const bytes = Buffer.from(record);
  const data = Buffer.concat(Array.from({ length: RECORDS }, () => bytes));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let offset = 0; offset < data.length; offset += bytes.length)
      parser.parse(data.subarray(offset, offset + bytes.length), CONTEXT);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / RECORDS);
  }
  return best;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href)
  for (const { label, microseconds } of formatCosts())
    console.log(`${label.padEnd(28)} ${microseconds.toFixed(2)} us`);
