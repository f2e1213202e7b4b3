import { withPeer } from '../../formats/connection-attributes.ts';
import { INVALID_UTF8 } from '../../formats/marker-attributes.ts';
import type { ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { Timer } from '../../runtime/async/timer.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type MergePart, mergeRecords } from './merge-records.ts';
import type { PackRule } from './pack-rules.ts';

/**
 * Merges records of one sender to one record, between the framing of a socket and its journal. After the journal, a
 * merged record is like any other.
 *
 *     framing --> Packer.add(record, answer) --> emit(merged record, answers of all its members) --> journal
 *
 * A member is not answered before `emit` hands its answer over, so a sender that waits for answers (RELP) keeps its
 * records until the merged one is flushed to disk.
 *
 * The order within a key is kept. Records of other keys, and records without a rule, may overtake a group by `maxAgeMs`.
 *
 * Limits: of each group by its rule, and of all groups together in bytes and number. Beyond them, the oldest group is
 * handed over early.
 */
export class Packer<Answer> {
  readonly #options: PackerOptions<Answer>;
  readonly #limits: PackerLimits;
  /** The oldest first. */
  readonly #groups = new Map<string, Group<Answer>>();
  readonly #timer: Timer;
  #heldBytes = 0;
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(options: PackerOptions<Answer>) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#timer = new Timer(options.clock, () => this.#emitOld());
  }

  /** The bytes of the records that wait. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The number of groups that wait. */
  get size(): number {
    return this.#groups.size;
  }

  add(record: IncomingRecord<Answer>): void {
    const parsed = this.#options.parse(record.bytes, record.context);
    const index = this.#options.rules.findIndex(
      ({ condition }) => condition?.(parsed, record.context) ?? true,
    );
    const rule = this.#options.rules[index];
    if (rule === undefined) return this.#emitAlone(record);
    const key = keyOf(index, rule, parsed, record.context);
    this.#addTo(key, rule, { record, parsed });
    this.#emitBeyondLimits();
  }

  /** Hands over all groups: at a shutdown, or when their senders have left. */
  flush(): void {
    for (const key of [...this.#groups.keys()]) this.#emit(key);
    this.#timer.cancel();
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
  }

  #addTo(key: string, rule: PackRule, member: Member<Answer>): void {
    const { record, parsed } = member;
    const group = this.#groups.get(key);
    if (!isMergeable(member) || record.bytes.length >= rule.maxBytes) {
      this.#emit(key);
      return this.#emitAlone(record);
    }
    const isStart = rule.by.kind === 'start' && rule.by.formats.some((format) => format.matches(parsed.body));
    if (group !== undefined && !isStart && mayJoin(group, member)) return this.#join(group, member);
    this.#emit(key);
    const isContinuation = rule.by.kind === 'start' && !isStart;
    // A record that is no start, without a start before it, is a record of its own.
    if (isContinuation && (group === undefined || !isFull(group, member))) return this.#emitAlone(record);
    this.#begin(key, rule, member);
  }

  #begin(key: string, rule: PackRule, member: Member<Answer>): void {
    const { clock } = this.#options;
    const bytes = member.record.bytes.length;
    const dueMs = clock.monotonicMs() + rule.maxAgeMs;
    this.#groups.set(key, { rule, members: [member], bytes, dueMs });
    this.#heldBytes += bytes;
    this.#wakeAt(dueMs);
  }

  #join(group: Group<Answer>, member: Member<Answer>): void {
    const bytes = sizeInGroup(member);
    group.members.push(member);
    group.bytes += bytes;
    this.#heldBytes += bytes;
  }

  #emit(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    this.#groups.delete(key);
    this.#heldBytes -= group.bytes;
    const [first] = group.members;
    if (first === undefined) return;
    const { context } = first.record;
    const answers = group.members.map(({ record }) => record.answer);
    this.#options.emit({ bytes: mergeRecords(group.members.map(partOf)), context, answers });
  }

  #emitAlone({ bytes, context, answer }: IncomingRecord<Answer>): void {
    this.#options.emit({ bytes, context, answers: [answer] });
  }

  #emitBeyondLimits(): void {
    for (const key of this.#groups.keys()) {
      if (this.#groups.size <= this.#limits.groups && this.#heldBytes <= this.#limits.bytes) return;
      this.#emit(key);
    }
  }

  #emitOld(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    for (const [key, { dueMs }] of [...this.#groups]) {
      if (dueMs <= nowMs) this.#emit(key);
      else this.#wakeAt(dueMs);
    }
  }

  #wakeAt(dueMs: number): void {
    if (dueMs >= this.#wakesAtMs) return;
    this.#wakesAtMs = dueMs;
    this.#timer.set(Math.max(0, dueMs - this.#options.clock.monotonicMs()));
  }
}

/** A record as it was framed, and what must be answered for it. */
export interface IncomingRecord<Answer> {
  readonly bytes: Uint8Array;
  readonly context: RecordContext;
  readonly answer: Answer;
}

/** A merged record, or an unchanged one. */
export interface OutgoingRecord<Answer> {
  readonly bytes: Uint8Array;
  /** Of the first member. */
  readonly context: RecordContext;
  /** Of all members, in their order. */
  readonly answers: readonly Answer[];
}

export interface PackerOptions<Answer> {
  /** The first one whose condition holds applies. */
  readonly rules: readonly PackRule[];
  readonly parse: (bytes: Uint8Array, context: RecordContext) => ParsedRecord;
  readonly clock: Clock;
  readonly emit: (record: OutgoingRecord<Answer>) => void;
  readonly limits?: Partial<PackerLimits>;
}

export interface PackerLimits {
  /** Of all records that wait. */
  readonly bytes: number;
  readonly groups: number;
}

const LIMITS: PackerLimits = { bytes: 8 * 1024 * 1024, groups: 10_000 };

interface Group<Answer> {
  readonly rule: PackRule;
  readonly members: Member<Answer>[];
  bytes: number;
  /** Monotonic. */
  readonly dueMs: number;
}

interface Member<Answer> {
  readonly record: IncomingRecord<Answer>;
  readonly parsed: ParsedRecord;
}

function keyOf(
  index: number,
  { key }: PackRule,
  { attributes: own }: ParsedRecord,
  { peer, resource }: RecordContext,
): string {
  const attributes = peer === undefined ? own : withPeer(own, peer);
  const values = key.map((name) => attributes.get(name) ?? resource.get(name));
  return JSON.stringify([index, ...values.map((value) => value ?? null)]);
}

/** The text of a JSON object cannot be continued, and bytes that are not UTF-8 would change. */
function isMergeable({ record, parsed }: Member<unknown>): boolean {
  const { attributes } = parsed;
  return record.bytes[0] !== OPEN_BRACE && !attributes.has(INVALID_UTF8) && !attributes.has(ENCODING_GUESSED);
}

const OPEN_BRACE = 0x7b;
const ENCODING_GUESSED = 'megacollector.encoding_guessed';
const STRUCTURED_DATA = 'syslog.structured_data';

function mayJoin<Answer>(group: Group<Answer>, member: Member<Answer>): boolean {
  const [first] = group.members;
  if (first === undefined || isFull(group, member)) return false;
  if (!hasSameStructuredData(first.parsed, member.parsed)) return false;
  const { by } = group.rule;
  return by.kind === 'start' || Math.abs(timeMs(member) - timeMs(first)) < by.windowMs;
}

function isFull({ rule, members, bytes }: Group<unknown>, member: Member<unknown>): boolean {
  return members.length >= rule.maxRecords || bytes + sizeInGroup(member) > rule.maxBytes;
}

/** The structured data of the others is not in the merged record, so it must be the same. A record may have none. */
function hasSameStructuredData({ attributes: first }: ParsedRecord, { attributes }: ParsedRecord): boolean {
  const own = attributes.get(STRUCTURED_DATA);
  return own === undefined || JSON.stringify(own) === JSON.stringify(first.get(STRUCTURED_DATA));
}

/** The time in the record, or else the time of its arrival. */
function timeMs({ record, parsed }: Member<unknown>): number {
  return Number((parsed.timeUnixNano ?? record.context.observedTimeUnixNano) / 1_000_000n);
}

/** At least the size that the member adds to the merged record. */
function sizeInGroup({ parsed }: Member<unknown>): number {
  return Buffer.byteLength(parsed.body) + 1;
}

function partOf({ record, parsed }: Member<unknown>): MergePart {
  return { bytes: record.bytes, body: parsed.body, severityNumber: parsed.severityNumber };
}
