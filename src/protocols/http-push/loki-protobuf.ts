import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type EntryParts, LokiEntries, type LokiEntry } from './loki-entry.ts';
import { parseLabels } from './loki-labels.ts';
import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS } from './push-limits.ts';

/** Reads a push request of Loki in protobuf (`logproto.PushRequest`), inflated. Throws a PushFault. */
export function lokiEntriesOfProtobuf(body: Uint8Array): readonly LokiEntry[] {
  const entries = new LokiEntries();
  for (const stream of fieldsOf(body)) if (stream.number === STREAMS) addStream(entries, bytesOf(stream));
  return entries.all;
}

/** `PushRequest` */
const STREAMS = 1;
/** `StreamAdapter` */
const LABELS = 1;
const ENTRIES = 2;
/** `EntryAdapter` */
const TIMESTAMP = 1;
const LINE = 2;
const METADATA = 3;
/** `google.protobuf.Timestamp` */
const SECONDS = 1;
const NANOS = 2;
/** `LabelPairAdapter` */
const NAME = 1;
const VALUE = 2;

function addStream(entries: LokiEntries, stream: Uint8Array): void {
  const fields = [...fieldsOf(stream)];
  const labels = fields.findLast(({ number }) => number === LABELS);
  const text = JSON.stringify(labels === undefined ? {} : parseLabels(textOf(labels)));
  for (const field of fields) if (field.number === ENTRIES) entries.add(partsOf(bytesOf(field)), text);
}

function partsOf(bytes: Uint8Array): EntryParts {
  let time = 0n;
  let line = '';
  const metadata: Record<string, string> = Object.create(null);
  for (const field of fieldsOf(bytes)) {
    if (field.number === TIMESTAMP) time = unixNano(bytesOf(field));
    else if (field.number === LINE) line = Buffer.from(bytesOf(field)).toString('latin1');
    else if (field.number === METADATA) addPair(metadata, bytesOf(field));
  }
  const own = Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata);
  if (own !== undefined && own.length > PUSH_LIMITS.labelsBytes)
    throw new PushFault('structured metadata must be at most 64 KiB.');
  return { time: String(time), line, metadata: own };
}

function unixNano(bytes: Uint8Array): bigint {
  let seconds = 0n;
  let nanos = 0n;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === SECONDS && typeof value === 'bigint') seconds = value;
    if (number === NANOS && typeof value === 'bigint') nanos = value;
  }
  return seconds * 1_000_000_000n + nanos;
}

/** In latin1, as the line is: bytes that are not UTF-8 are kept. */
function addPair(metadata: Record<string, string>, bytes: Uint8Array): void {
  let name = '';
  let value = '';
  for (const field of fieldsOf(bytes)) {
    if (field.number === NAME) name = Buffer.from(bytesOf(field)).toString('latin1');
    if (field.number === VALUE) value = Buffer.from(bytesOf(field)).toString('latin1');
  }
  metadata[name] = value;
}

interface Field {
  readonly number: number;
  /** undefined: of another type. */
  readonly value: Uint8Array | bigint | undefined;
}

/** The fields of a message. Each is inside the message. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) yield nextField(reader);
}

function nextField(reader: BinaryReader): Field {
  try {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) return { number, value: reader.bytes() };
    if (type === WireType.Varint) return { number, value: BigInt(reader.int64()) };
    reader.skip(type, number);
    return { number, value: undefined };
  } catch {
    throw new PushFault('The body is not a valid protobuf message: it is truncated or damaged.');
  }
}

function bytesOf({ value }: Field): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new PushFault('The body is not a valid push request: a field has the wrong type.');
}

function textOf(field: Field): string {
  return Buffer.from(bytesOf(field)).toString();
}
