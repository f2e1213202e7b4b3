import { encodeFrame } from '../../src/protocols/febe/encode-frame.ts';
import { encodeLogPayload, type LogPayloadFields } from '../../src/protocols/febe/encode-log-payload.ts';
import { FRAME_TYPES } from '../../src/protocols/febe/febe-session.ts';

/** What an extension sends first. `stray`: the bytes of its memory that follow the identity's NUL. */
export function greeting(
  identity: string,
  version = 'PG-15.20 (Debian 15.20-0+deb12u1)/logfebe-1',
  stray = '\x01\x02\x03',
): Buffer {
  return Buffer.concat([
    encodeFrame(FRAME_TYPES.version, Buffer.from(`${version}\0`)),
    encodeFrame(FRAME_TYPES.identity, Buffer.from(`${identity}\0${stray}`, 'latin1')),
  ]);
}

/** A whole record frame with plausible fields. */
export function recordFrame(message: string, fields: LogPayloadFields = {}): Buffer {
  return encodeFrame(FRAME_TYPES.record, recordPayload(message, fields));
}

export function recordPayload(message: string, fields: LogPayloadFields = {}): Buffer {
  return encodeLogPayload({
    LogTime: '2026-11-20 07:16:15.461 UTC',
    UserName: 'u',
    DatabaseName: 'd',
    Pid: 4242,
    ClientAddr: '[local]',
    SessionId: '554d3667.1092',
    SeqNum: 1,
    PsDisplay: 'SELECT',
    SessionStart: '2026-11-20 07:16:15 UTC',
    ELevel: 15,
    SQLState: '00000',
    ErrMessage: message,
    InternalQueryPos: -1,
    UserQueryPos: -1,
    ApplicationName: '',
    ...fields,
  });
}

/** `bytes` cut into pieces of `size`. */
export function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += size)
    chunks.push(bytes.subarray(offset, offset + size));
  return chunks;
}
