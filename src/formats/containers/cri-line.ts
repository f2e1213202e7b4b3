import type { ContainerLineSyntax, IoStream, LineContent, LineShape } from './container-line-syntax.ts';

/**
 * The lines that containerd and CRI-O write for Kubernetes. The first tag is `P` for a part of a line (the
 * runtime splits after 16 KiB) and `F` for a full line or the last part:
 *
 *     2026-11-28T10:00:00.123456789Z stdout P the first part
 *     2026-11-28T10:00:00.123456790Z stdout F , and the rest
 */
export const criLine: ContainerLineSyntax = {
  name: 'cri',
  lineName: 'a line of a CRI log',
  shapeOf: headerOf,
  contentOf(bytes: Buffer, start: number, end: number): LineContent | undefined {
    const header = headerOf(bytes, start, end);
    if (header === undefined) return undefined;
    const { iostream, isPartial, timeEnd, messageStart } = header;
    const message = bytes.subarray(messageStart, end);
    return { iostream, isPartial, time: bytes.toString('latin1', start, timeEnd), message };
  },
};

const BLANK = 0x20;
const COLON = 0x3a;
const HYPHEN = 0x2d;
const FULL = 0x46;
const PARTIAL = 0x50;
const STREAM_LENGTH = 'stdout'.length;
const TIME_MIN_LENGTH = '2026-11-28T10:00:00Z'.length;
const TIME_MAX_LENGTH = 40;

interface Header extends LineShape {
  readonly timeEnd: number;
  readonly messageStart: number;
}

function headerOf(bytes: Buffer, start: number, end: number): Header | undefined {
  if (bytes[start + 4] !== HYPHEN) return undefined;
  const length = bytes.subarray(start, Math.min(end, start + TIME_MAX_LENGTH)).indexOf(BLANK);
  if (length < TIME_MIN_LENGTH) return undefined;
  const timeEnd = start + length;
  const streamEnd = timeEnd + 1 + STREAM_LENGTH;
  const iostream = bytes[streamEnd] === BLANK ? iostreamAt(bytes, timeEnd + 1) : undefined;
  if (iostream === undefined || streamEnd + 1 >= end) return undefined;
  const tag = bytes[streamEnd + 1];
  if (tag !== FULL && tag !== PARTIAL) return undefined;
  const messageStart = startOfMessage(bytes, streamEnd + 2, end);
  if (messageStart === undefined) return undefined;
  return { iostream, isPartial: tag === PARTIAL, timeEnd, messageStart };
}

/** After the blank that ends the tags; other tags may follow the first one, each after a colon. */
function startOfMessage(bytes: Buffer, tagEnd: number, end: number): number | undefined {
  if (tagEnd >= end) return end;
  if (bytes[tagEnd] === BLANK) return tagEnd + 1;
  if (bytes[tagEnd] !== COLON) return undefined;
  const blank = bytes.subarray(0, end).indexOf(BLANK, tagEnd);
  return blank < 0 ? end : blank + 1;
}

function iostreamAt(bytes: Buffer, at: number): IoStream | undefined {
  const name = bytes.toString('latin1', at, at + STREAM_LENGTH);
  return name === 'stdout' || name === 'stderr' ? name : undefined;
}
