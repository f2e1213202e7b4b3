import { ERROR_CODE } from './error-codes.ts';
import { MAX_FRAME_BYTES, MIN_FRAME_BYTES } from './frame.ts';
import { Http2Error } from './http2-error.ts';

/** RFC 9113, section 6.5.2. */
export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** Of streams before settings, and of each connection. */
export const DEFAULT_WINDOW_BYTES = 65_535;

/** Identifiers and values. */
export type Settings = readonly (readonly [id: number, value: number])[];

export function encodeSettings(settings: Settings): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [at, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, at * 6);
    payload.writeUInt32BE(value, at * 6 + 2);
  }
  return payload;
}

/** Throws `Http2Error` for an invalid value. */
export function decodeSettings(payload: Buffer): Settings {
  if (payload.length % 6 !== 0)
    throw new Http2Error(ERROR_CODE.frameSizeError, 'a SETTINGS frame is cut off');
  const settings: (readonly [number, number])[] = [];
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    check(id, value);
    settings.push([id, value]);
  }
  return settings;
}

function check(id: number, value: number): void {
  if (id === SETTING.initialWindowSize && value > MAX_WINDOW_BYTES)
    throw invalid(id, value, 'flowControlError');
  const isFrameSize = value >= MIN_FRAME_BYTES && value <= MAX_FRAME_BYTES;
  if (id === SETTING.maxFrameSize && !isFrameSize) throw invalid(id, value, 'protocolError');
  if (id === SETTING.enablePush && value > 1) throw invalid(id, value, 'protocolError');
}

function invalid(id: number, value: number, code: keyof typeof ERROR_CODE): Http2Error {
  return new Http2Error(ERROR_CODE[code], `the setting ${id} has the invalid value ${value}`);
}
