import { z } from 'zod';
import type { Json } from '../records/json.ts';
import { count, printable, textTable } from './output/text-table.ts';

const notRead = z.looseObject({ kind: z.literal('not-read'), path: z.string(), reason: z.string() });

const followed = z.looseObject({
  kind: z.literal('followed'),
  path: z.string(),
  device: z.string(),
  inode: z.string(),
  prefix: z.object({ length: z.number(), hash: z.string() }),
  status: z.looseObject({
    stream: z.string(),
    home: z.string(),
    state: z.string(),
    sizeBytes: z.number(),
    position: z.number(),
    acceptedBytes: z.number(),
    waitingBytes: z.number(),
    oldestWaitingMs: z.number().optional(),
    refusal: z.string().optional(),
  }),
  waitsFor: z.string().optional(),
  waitsBecause: z.string().optional(),
  failure: z.string().optional(),
});

const rejectedPeer = z.looseObject({
  address: z.string(),
  reason: z.string(),
  times: z.number(),
  time: z.string(),
});

const listeners = z.looseObject({
  kind: z.enum(['listeners', 'sender']),
  sender: z.string().optional(),
  listeners: z.array(
    z.looseObject({
      listener: z.string(),
      state: z.string(),
      accepts: z.string().optional(),
      senders: z.string().optional(),
      decision: z.string().optional(),
      sockets: z.number().optional(),
      rejected: z.union([z.array(rejectedPeer), rejectedPeer]).optional(),
    }),
  ),
});

/** How a collector sees a file, as text. The answer of another version is shown field by field. */
export function explanationText(answer: Readonly<Record<string, Json>>, width?: number): string {
  const asNotRead = notRead.safeParse(answer);
  if (asNotRead.success) {
    const { path, reason } = asNotRead.data;
    const fields: readonly Field[] = [
      ['file', path],
      ['not read', reason],
    ];
    return fieldTable(fields, width);
  }
  const asListeners = listeners.safeParse(answer);
  if (asListeners.success) return fieldTable(listenerFields(asListeners.data), width);
  const asFollowed = followed.safeParse(answer);
  return fieldTable(asFollowed.success ? followedFields(asFollowed.data) : fieldsOf('', answer), width);
}

type Field = readonly [name: string, value: string];

function followedFields({
  path,
  device,
  inode,
  prefix,
  status,
  waitsFor,
  waitsBecause,
  failure,
}: z.output<typeof followed>): readonly Field[] {
  const { oldestWaitingMs: ageMs } = status;
  const age = ageMs === undefined ? '' : `, the oldest for ${Math.round(ageMs / 1000)} s`;
  return [
    ['file', path],
    ['stream', `${status.stream}, ${status.state}`],
    ['identity', `first ${count(prefix.length)} bytes ${prefix.hash}; device ${device}, inode ${inode}`],
    ...optional('first seen as', status.home === path ? undefined : status.home),
    ['size', `${count(status.sizeBytes)} bytes`],
    ['position', count(status.position)],
    ['accepted', `${count(status.acceptedBytes)} bytes`],
    ['lag', `${count(status.waitingBytes)} bytes${age}`],
    ...optional('waits for', waitsFor && [waitsFor, waitsBecause].filter(Boolean).join(', which ')),
    ...optional('trouble', failure),
    ...optional('refused', status.refusal),
  ];
}

function listenerFields({ sender, listeners: all }: z.output<typeof listeners>): readonly Field[] {
  const fields = all.flatMap((each): readonly Field[] => [
    ['listener', each.listener],
    ['state', each.state],
    ...optional('accepts', each.accepts),
    ...optional('senders', each.senders),
    ...optional('decision', each.decision),
    ...optional('sockets', each.sockets === undefined ? undefined : count(each.sockets)),
    ...[each.rejected ?? []].flat().map(rejectedField),
  ]);
  return [...optional('sender', sender), ...fields];
}

function rejectedField({ address, reason, times, time }: z.output<typeof rejectedPeer>): Field {
  return [
    'rejected',
    `${address}, ${count(times)} ${times === 1 ? 'time' : 'times'}, last at ${time}: ${reason}`,
  ];
}

function optional(name: string, value: string | undefined): readonly Field[] {
  return value === undefined ? [] : [[name, value]];
}

/** Nested fields are named with their parent: `status position  4096`. */
function fieldsOf(prefix: string, fields: Readonly<Record<string, Json>>): readonly Field[] {
  return Object.entries(fields).flatMap(([key, value]): readonly Field[] => {
    const name = prefix + words(key);
    if (value === null) return [];
    if (typeof value === 'object' && !isList(value)) return fieldsOf(`${name} `, value);
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** `acceptedBytes`: `accepted bytes` */
function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, end: string, begin: string) => `${end} ${begin.toLowerCase()}`);
}

function fieldTable(fields: readonly Field[], width: number | undefined): string {
  return textTable(
    [{ title: '' }, { title: '', wraps: true }],
    fields.map((field) => field.map(printable)),
    width,
  );
}
