import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS } from './push-limits.ts';

/** A label and its value in Go's notation, and what separates it from the next one. */
const LABEL = /\s*([a-zA-Z_][\w.:]*)\s*=\s*"((?:[^"\\]|\\[\s\S])*)"\s*(,|$)/y;

/** Reads labels in the notation of Prometheus: `{job="shop", level="info"}`. Throws a PushFault. */
export function parseLabels(text: string): Readonly<Record<string, string>> {
  const trimmed = text.trim();
  if (trimmed.length > PUSH_LIMITS.labelsBytes) throw new PushFault('The labels must be at most 64 KiB.');
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) throw invalid();
  const inside = trimmed.slice(1, -1).trim();
  const labels: Record<string, string> = Object.create(null);
  for (LABEL.lastIndex = 0; LABEL.lastIndex < inside.length; ) {
    const found = LABEL.exec(inside);
    if (found === null) throw invalid();
    labels[found[1] ?? ''] = unquoted(found[2] ?? '');
  }
  return labels;
}

const SIGNS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

function unquoted(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (_, byte?: string, short?: string, long?: string, sign = '') => {
      const code = byte ?? short ?? long;
      if (code === undefined) return SIGNS[sign] ?? sign;
      return Number.parseInt(code, 16) > 0x10ffff
        ? '\ufffd'
        : String.fromCodePoint(Number.parseInt(code, 16));
    },
  );
}

function invalid(): PushFault {
  return new PushFault('The labels of a stream are not valid: expected labels such as {job="shop"}.');
}
