import type { AttributeValue } from '../../records/log-record.ts';

/** The text without its trusted properties, and these. */
export interface TrustedText {
  readonly text: string;
  readonly properties: Readonly<Record<string, AttributeValue>>;
}

/**
 * Finds the properties that rsyslog's imuxsock appends to a message after it has asked the kernel for them:
 *
 *     text @[_PID=5096 _UID=0 _GID=1000 _COMM=sudo _EXE=/usr/bin/sudo _CMDLINE="sudo ls"]
 *
 * The names have no underscore and are in lower case. undefined: there are none.
 */
export function findTrustedProperties(text: string): TrustedText | undefined {
  if (!text.endsWith(']')) return undefined;
  const start = text.lastIndexOf(OPENING);
  if (start < 0 || text.length - start > MAX_LENGTH) return undefined;
  const inside = text.slice(start + OPENING.length - 1, -1);
  const properties = Object.create(null) as Record<string, AttributeValue>;
  let end = 0;
  for (const { 0: matched, index, groups = {} } of inside.matchAll(PROPERTY)) {
    if (index !== end) return undefined;
    end = index + matched.length;
    const { name = '', quoted, bare = '' } = groups;
    properties[name.toLowerCase()] = quoted ?? bare;
  }
  return end === inside.length ? { text: text.slice(0, start), properties } : undefined;
}

const OPENING = ' @[_';
const MAX_LENGTH = 8192;
const PROPERTY = /_(?<name>[A-Z][A-Z_]{0,31})=(?:"(?<quoted>[^"]*)"|(?<bare>[^\s"]*))(?: |$)/g;
