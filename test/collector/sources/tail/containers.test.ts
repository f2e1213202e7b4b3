import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { Tailing, type TailingOptions } from './tailing.ts';

const ID = '0123456789abcdef'.repeat(4);
const UID = '2c1f3d52-8d3f-4a52-9d61-6f5c1d3e7b11';
const DIRECTORY = `pods/shop_web-1_${UID}/nginx`;
const LOG = `${DIRECTORY}/0.log`;
const LINK = `containers/web-1_shop_nginx-${ID}.log`;

/** The files and links that kubelet makes for one container. */
async function preparePod(options: TailingOptions): Promise<Tailing> {
  const tailing = await Tailing.prepare({ entry: { format: 'cri' }, ...options });
  await mkdir(tailing.path(DIRECTORY), { recursive: true });
  await mkdir(tailing.path('containers'));
  await writeFile(tailing.path(LOG), '');
  await symlink(tailing.path(LOG), tailing.path(LINK));
  return tailing;
}

const line = (text: string, tag = 'F', stream = 'stdout') =>
  `2026-11-28T10:00:00.000000001Z ${stream} ${tag} ${text}\n`;

function recordsOf(tail: Tailing): readonly LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of tail.taken.batches) forEachLogRecord(batch, (record) => void records.push(record));
  return records;
}

const bodiesOf = (tail: Tailing) => recordsOf(tail).map(({ body }) => body);

it('adds namespace, pod, uid, container and id from the link and its target', async () => {
  const tail = await preparePod({ globs: ['containers/*.log'] });
  await tail.append(LOG, line('Hello'));
  await tail.start();
  const [record] = recordsOf(tail);
  expect(record?.body).toBe('Hello');
  expect(Object.fromEntries(record?.resource ?? [])).toEqual({
    'host.name': 'test-host',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-1',
    'k8s.pod.uid': UID,
    'k8s.container.name': 'nginx',
    'k8s.container.restart_count': '0',
    'container.id': ID,
    'log.file.path': tail.path(LINK),
  });
});

it('reads a file once that is found at its path and at a link', async () => {
  const tail = await preparePod({ globs: ['containers/*.log', 'pods/*/*/*.log'] });
  await tail.append(LOG, line('one') + line('two'));
  await tail.start();
  await tail.append(LOG, line('three'));
  await tail.turn();
  expect(bodiesOf(tail)).toEqual(['one', 'two', 'three']);
});

it('joins a message whose parts arrive one after the other', async () => {
  const tail = await preparePod({ globs: ['pods/*/*/*.log'] });
  await tail.start();
  await tail.append(LOG, line('one,', 'P'));
  await tail.turn();
  expect(bodiesOf(tail)).toEqual([]);
  await tail.append(LOG, line('two,', 'P').slice(0, 20));
  await tail.turn();
  await tail.append(LOG, line('two,', 'P').slice(20) + line('three') + line('error', 'F', 'stderr'));
  await tail.turn();
  expect(bodiesOf(tail)).toEqual(['one,two,three', 'error']);
});

it('joins a message of which the first parts were there before a stop or a crash', async () => {
  for (const end of ['stop', 'kill'] as const) {
    const tail = await preparePod({ globs: ['pods/*/*/*.log'] });
    await tail.append(LOG, line('zero') + line('one,', 'P'));
    await tail.start();
    await tail[end]();
    await tail.append(LOG, line('two'));
    await tail.start();
    await tail.turn();
    expect(bodiesOf(tail)).toEqual(['zero', 'one,two']);
    expect(tail.taken.repeatedBytes).toBe(0);
  }
});

it('sends a partial message after idle time, marked', async () => {
  const tail = await preparePod({ globs: ['pods/*/*/*.log'] });
  await tail.append(LOG, line('one,', 'P'));
  await tail.start();
  await tail.pass(8_000);
  expect(bodiesOf(tail)).toEqual(['one,']);
  expect(recordsOf(tail)[0]?.attributes.get('megacollector.record_mark')).toBe('unterminated');
});

it('reads each line once over the rotations of kubelet, also while it is down', async () => {
  const tail = await preparePod({ globs: ['containers/*.log'] });
  await tail.append(LOG, line('first'));
  await tail.start();
  const expected = ['first'];
  for (let round = 0; round < 4; round++) {
    const isDown = round % 2 === 1;
    if (isDown) await tail.stop();
    await tail.append(LOG, line(`${round} a,`, 'P') + line('b') + line(`${round} c`, 'F', 'stderr'));
    expected.push(`${round} a,b`, `${round} c`);
    await rename(tail.path(LOG), tail.path(`${LOG}.20261128-10000${round}`));
    await writeFile(tail.path(LOG), line(`${round} next`));
    expected.push(`${round} next`);
    if (isDown) await tail.start();
    await tail.turn();
    await tail.pass(3_000);
  }
  expect(bodiesOf(tail).toSorted()).toEqual(expected.toSorted());
  expect(tail.messages(50)).toEqual([]);
  const pods = new Set(recordsOf(tail).map(({ resource }) => resource.get('k8s.pod.uid')));
  expect([...pods]).toEqual([UID]);
});

it('applies multiline to the messages', async () => {
  const tail = await preparePod({
    globs: ['pods/*/*/*.log'],
    entry: { format: 'cri', multiline: { continue: /^\s/ } },
  });
  await tail.append(LOG, line('Error: x') + line('  at y') + line('next'));
  await tail.start();
  await tail.pass(8_000);
  expect(bodiesOf(tail)).toEqual(['Error: x\n  at y', 'next']);
});
