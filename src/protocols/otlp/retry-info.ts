import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { messageFields, writeField } from './message-fields.ts';

/** The key of a gRPC trailer that contains a `google.rpc.Status`. */
export const STATUS_DETAILS = 'grpc-status-details-bin';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
/** `google.rpc.Status` */
const CODE = 1;
const MESSAGE = 2;
const DETAILS = 3;
/** `google.protobuf.Any` */
const TYPE_URL = 1;
const VALUE = 2;
/** `google.rpc.RetryInfo` */
const RETRY_DELAY = 1;
/** `google.protobuf.Duration` */
const SECONDS = 1;
const NANOS = 2;

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** In a `google.rpc.RetryInfo`: the client retries after this time. */
  readonly retryAfterMs?: number | undefined;
}

/** Encodes a `google.rpc.Status`. */
export function encodeStatus({ code, message, retryAfterMs }: RpcStatus): Uint8Array {
  const writer = new BinaryWriter().tag(CODE, WireType.Varint).int32(code);
  writer.tag(MESSAGE, WireType.LengthDelimited).string(message);
  if (retryAfterMs === undefined) return writer.finish();
  const delay = new BinaryWriter().tag(SECONDS, WireType.Varint).int64(Math.floor(retryAfterMs / 1000));
  delay.tag(NANOS, WireType.Varint).int32(Math.round((retryAfterMs % 1000) * 1e6));
  const info = writeField(new BinaryWriter(), RETRY_DELAY, delay.finish()).finish();
  const any = new BinaryWriter().tag(TYPE_URL, WireType.LengthDelimited).string(RETRY_INFO);
  return writeField(writer, DETAILS, writeField(any, VALUE, info).finish()).finish();
}

/** The message of a `google.rpc.Status`; undefined: the bytes are no status, or it has none. */
export function statusMessage(status: Uint8Array): string | undefined {
  try {
    const found = lastField(status, MESSAGE);
    return found && Buffer.from(found).toString();
  } catch {
    return undefined;
  }
}

/** The delay in the `google.rpc.RetryInfo` of a status; undefined: there is none. */
export function retryDelayMs(status: Uint8Array): number | undefined {
  try {
    for (const { number, bytes } of messageFields(status, [])) {
      if (number !== DETAILS) continue;
      const type = Buffer.from(lastField(bytes, TYPE_URL) ?? []).toString();
      if (type.endsWith('/google.rpc.RetryInfo')) return delayOf(lastField(bytes, VALUE) ?? new Uint8Array());
    }
  } catch {
    // Not a status.
  }
  return undefined;
}

function delayOf(info: Uint8Array): number {
  const reader = new BinaryReader(lastField(info, RETRY_DELAY) ?? new Uint8Array());
  let ms = 0;
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === SECONDS) ms += Number(reader.int64()) * 1000;
    else if (number === NANOS) ms += reader.int32() / 1e6;
    else reader.skip(type, number);
  }
  return Math.max(0, ms);
}

function lastField(message: Uint8Array, wanted: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (const { number, bytes } of messageFields(message, [])) if (number === wanted) found = bytes;
  return found;
}
