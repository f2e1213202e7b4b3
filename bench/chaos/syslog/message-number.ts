import { parseNumberedLine } from '../numbered-line.ts';

/** The name of the log that rsyslog sends. */
export const RELP_LOG = 'rsyslog';

/** The number of an undamaged message of rsyslog, with or without its header. */
export function messageNumber(message: string): number | undefined {
  const text = message.slice(Math.max(message.indexOf(`${RELP_LOG} 0`), 0)).trimEnd();
  const head = parseNumberedLine(text);
  return head?.log === RELP_LOG ? head.number : undefined;
}
