import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { REPEATED } from '../../../src/formats/connection-attributes.ts';
import { loggenNumber } from './loggen-sender.ts';
import { messageNumber } from './message-number.ts';

/** What the output has of the messages of rsyslog and loggen. */
export interface SyslogAudit {
  /** How often each message of rsyslog is there without the mark of a repetition. */
  readonly unmarked: ReadonlyMap<number, number>;
  /** Marked messages of rsyslog. */
  readonly marked: number;
  readonly relp: ReadonlySet<number>;
  /** The numbers of each run of loggen, in the order of the output. */
  readonly loggen: ReadonlyMap<string, readonly number[]>;
  /** Records that are no undamaged message of either. */
  readonly foreign: readonly string[];
  /** Last messages of connections that broke inside of a message. */
  readonly unterminated: number;
}

const MAX_EXAMPLES = 5;

/** Reads a file of JSON records. */
export async function auditSyslog(paths: readonly string[]): Promise<SyslogAudit> {
  const unmarked = new Map<number, number>();
  const relp = new Set<number>();
  const loggen = new Map<string, number[]>();
  const foreign: string[] = [];
  let marked = 0;
  let unterminated = 0;
  for (const path of paths)
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const { body, attributes } = JSON.parse(line) as JsonRecord;
      const number = messageNumber(body);
      const generated = loggenNumber(body);
      if (attributes['megacollector.record_mark'] === 'unterminated') unterminated++;
      else if (number !== undefined) {
        relp.add(number);
        if (attributes[REPEATED] === undefined) unmarked.set(number, (unmarked.get(number) ?? 0) + 1);
        else marked++;
      } else if (generated !== undefined) {
        // The run is the second of its start: two runs can have the same one, but not the same connection.
        const run = `${generated.run} from port ${String(attributes['network.peer.port'])}`;
        const numbers = loggen.get(run) ?? [];
        loggen.set(run, numbers);
        numbers.push(generated.number);
      } else if (foreign.length < MAX_EXAMPLES) foreign.push(line.slice(0, 300));
    }
  return { unmarked, marked, relp, loggen, foreign, unterminated };
}

interface JsonRecord {
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
