import { TRUNCATED_FROM } from '../../../formats/connection-attributes.ts';
import { FORMAT_OPTIONS } from '../../../formats/marker-attributes.ts';
import { LIMITS } from '../../../records/limits.ts';
import type { Resource } from '../../../records/resource.ts';
import type { RecordLabel } from '../../journal/record-run.ts';
import { BodyFault } from '../requests/request-body.ts';
import {
  type IntakeRecord,
  journalBytes,
  RequestIntake,
  type RequestIntakeOptions,
} from '../requests/request-intake.ts';
import type { HttpSourceEvents } from './events.ts';
import type { PushRecord } from './push-protocol.ts';

export interface PushIntakeOptions extends RequestIntakeOptions {
  readonly resource: Resource;
  /** The format of lines, as the operator describes it. */
  readonly format: string | undefined;
  /** A request above it is rejected: the journal would never have room for it. */
  readonly maxBytes: number;
  readonly events: HttpSourceEvents;
}

/** Stores the records of one listener. */
export class PushIntake extends RequestIntake {
  readonly #options: PushIntakeOptions;
  readonly #labels: Readonly<Record<PushRecord['format'], RecordLabel>>;

  constructor(options: PushIntakeOptions) {
    super(options);
    this.#options = options;
    const { resource, format } = options;
    const described = format === undefined ? resource : new Map([...resource, [FORMAT_OPTIONS, format]]);
    this.#labels = {
      http: { format: 'http', resource: described },
      'http-loki': { format: 'http-loki', resource: described },
      'http-splunk': { format: 'http-splunk', resource: described },
      'http-elasticsearch': { format: 'http-elasticsearch', resource },
    };
  }

  /** Resolves when the records are on disk. Rejects with a BodyFault when they are not. */
  async store(pushed: readonly PushRecord[], protocol: string): Promise<void> {
    const records = pushed.map((each) => this.#recordOf(each));
    const { maxBytes, origin: listener, events } = this.#options;
    if (journalBytes(records) > maxBytes)
      throw new BodyFault(
        413,
        `The records of a request must be at most ${maxBytes} bytes. Send fewer records.`,
      );
    const outcome = await this.accept(records);
    if (outcome === 'stopped') throw new BodyFault(503, 'The collector is stopping. Retry the request.');
    if (outcome === 'full') throw new BodyFault(503, 'There is no room for the records. Retry the request.');
    const bytes = records.reduce((sum, each) => sum + each.bytes.length + 1, 0);
    events.received({ listener, protocol, records: records.length, bytes });
    const truncated = records.filter(({ peer }) => peer?.has(TRUNCATED_FROM)).length;
    if (truncated > 0) events.truncated({ listener, protocol, records: truncated });
  }

  #recordOf({ bytes, format, peer, truncatedFrom }: PushRecord): IntakeRecord {
    const label = this.#labels[format];
    const kept = beginningOf(bytes);
    const from = truncatedFrom ?? (kept.length < bytes.length ? bytes.length : undefined);
    if (from === undefined) return { bytes, label, peer, addsLf: true };
    return { bytes: kept, label, peer: new Map([...peer, [TRUNCATED_FROM, String(from)]]), addsLf: true };
  }
}

const MAX_BYTES = LIMITS.recordBytes - 1;

/** As many bytes as a record may have with LF, and no part of a character at the end. */
function beginningOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= MAX_BYTES) return bytes;
  let end = MAX_BYTES;
  while (end > MAX_BYTES - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
