import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { formatNamed } from '../src/formats/registry.ts';
import type { RecordContext } from '../src/records/record-context.ts';

/**
 * The CPU time that one thread needs to parse a record of each format: `node .tmp/tools/bench/formats.js`. The records of a
 * sample differ in their numbers, hosts and values, as those of a flow do; a new second begins every 500 records. The
 * numbers are of parsing alone, which decodes all attributes; the best of several rounds counts, because other work on the
 * machine only adds time.
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

/** The parts in which the records of a sample differ. */
interface Varied {
  /** One digit. */
  readonly digit: number;
  /** Four digits. */
  readonly pid: number;
  /** Two digits. */
  readonly second: string;
  /** Three digits. */
  readonly milli: string;
}

type Sample = (varied: Varied) => string;

const SAMPLES: readonly (readonly [label: string, format: string, record: Sample])[] = [
  [
    'combined',
    'combined',
    ({ digit, pid, second }) =>
      `10.0.0.${digit} - - [28/Nov/2026:10:00:${second} +0000] "GET /a?b=${digit} HTTP/1.1" 200 ${pid} "-" "Mozilla/5.0 (X11)"\n`,
  ],
  [
    'json',
    'json',
    ({ pid, second, milli }) =>
      `{"time":"2026-11-28T10:00:${second}.${milli}Z","level":"info","msg":"request served","status":200,"ms":${pid}}\n`,
  ],
  [
    'syslog, RFC 3164',
    'syslog',
    ({ digit, pid, second }) =>
      `<34>Oct 11 22:14:${second} mymachin${digit} su[${pid}]: 'su root' failed for lonvick on /dev/pts/${digit}\n`,
  ],
  [
    'syslog, RFC 5424',
    'syslog',
    ({ digit, pid, second, milli }) =>
      `<165>1 2026-11-28T10:00:${second}.${milli}456Z web${digit}.example.com app ${pid} ID47 - An application event log entry\n`,
  ],
  [
    'syslog, structured data',
    'syslog',
    ({ digit, pid, second, milli }) =>
      `<165>1 2026-11-28T10:00:${second}.${milli}456Z web${digit} app ${pid} ID47 [a@32473 iut="${digit}" eventSource="Ap${digit}"] An event\n`,
  ],
  [
    'syslog, ISO line of a file',
    'syslog',
    ({ digit, pid, second, milli }) =>
      `2026-11-28T10:00:${second}.${milli}456+00:00 web${digit} sshd[${pid}]: Accepted publickey for jane\n`,
  ],
  [
    'syslog, Cisco',
    'syslog',
    ({ digit, second, milli }) =>
      `<189>${milli}: Oct 11 22:14:${second}.${milli} UTC: %SEC-6-IPACCESSLOG${digit}: list 1 denied tcp 10.0.0.${digit}\n`,
  ],
  [
    'plain',
    'plain',
    ({ pid }) =>
      `a line of text without a format, as long as the other ones are in this table of samples: ${pid}\n`,
  ],
];
const ROUNDS = 15;
const RECORDS = 20_000;
const RECORDS_PER_SECOND = 500;
const CONTEXT: RecordContext = {
  resource: new Map([['host.name', 'h']]),
  observedTimeUnixNano: 1_795_861_200_000_000_000n,
};

function bestMicroseconds(format: string, sample: Sample): number {
  const parser = formatNamed(format);
  const records = Array.from({ length: RECORDS }, (_, number) => Buffer.from(sample(varied(number))));
  const data = Buffer.concat(records);
  const sizes = records.map(({ length }) => length);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    let offset = 0;
    for (const size of sizes) {
      parser.parse(data.subarray(offset, offset + size), CONTEXT);
      offset += size;
    }
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / RECORDS);
  }
  return best;
}

function varied(number: number): Varied {
  return {
    digit: number % 10,
    pid: 1000 + ((number * 7919) % 9000),
    second: String(Math.floor(number / RECORDS_PER_SECOND) % 60).padStart(2, '0'),
    milli: String(100 + ((number * 104_729) % 900)),
  };
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href)
  for (const { label, microseconds } of formatCosts())
    console.log(`${label.padEnd(28)} ${microseconds.toFixed(2)} us`);
