import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packSchema } from '../../../src/collector/packing/pack-rules.ts';
import { Packer, type PackerLimits } from '../../../src/collector/packing/packer.ts';
import { SYSLOG_SEVERITIES } from '../../../src/formats/severity.ts';
import type { AttributeValue, ParsedRecord } from '../../../src/records/log-record.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A small format for these tests: `<PRI>TIME APP: BODY`, where TIME is milliseconds; or only a body. */
function parse(bytes: Uint8Array): ParsedRecord {
  const text = Buffer.from(bytes).toString().trimEnd();
  const match = /^<(\d+)>(\d+) (\w+): (?:\{(.*?)\} )?(.*)$/s.exec(text);
  if (match === null) return { body: text, attributes: new Map() };
  const [, priority = '', time = '', app = '', data, body = ''] = match;
  const attributes = new Map<string, AttributeValue>([['service.name', app]]);
  if (data !== undefined) attributes.set('syslog.structured_data', { id: data });
  if (body.includes('\u{fffd}')) attributes.set('megacollector.invalid_utf8', true);
  const claimed = /^peer=(\S+)/.exec(body)?.[1];
  if (claimed !== undefined) attributes.set('network.peer.address', claimed);
  return {
    timeUnixNano: BigInt(time) * 1_000_000n,
    severityNumber: SYSLOG_SEVERITIES[Number(priority) % 8] ?? 0,
    body,
    attributes,
  };
}

function prepared(rules: readonly object[], limits: Partial<PackerLimits> = {}) {
  const clock = new FakeClock();
  const emitted: { readonly text: string; readonly answers: readonly number[] }[] = [];
  const isApp = (name: string) => (record: ParsedRecord) => record.attributes.get('service.name') === name;
  const packer = new Packer<number>({
    rules: packSchema(isApp).parse(rules),
    parse,
    clock,
    emit: ({ bytes, answers }) => void emitted.push({ text: Buffer.from(bytes).toString(), answers }),
    limits,
  });
  let answer = 0;
  const add = (text: string, peer = '10.0.0.1') =>
    packer.add({
      bytes: Buffer.from(text),
      context: {
        resource: new Map(),
        observedTimeUnixNano: clock.nowUnixNano(),
        peer: new Map([['network.peer.address', peer]]),
      },
      answer: answer++,
    });
  return { clock, packer, emitted, add, texts: () => emitted.map(({ text }) => text) };
}

const BY_TIME = [{ by: 'time', window: '250ms' }];
const BY_START = [{ by: 'start', formats: ['ERROR $WORD'], key: ['network.peer.address'] }];

describe('by time', () => {
  test('merges records of one sender within the window after the first', () => {
    const { packer, add, emitted } = prepared(BY_TIME);
    for (const time of [1000, 1100, 1249, 1250]) add(`<30>${time} app: at ${time}`);
    packer.flush();
    expect(emitted).toEqual([
      { text: '<30>1000 app: at 1000\nat 1100\nat 1249', answers: [0, 1, 2] },
      { text: '<30>1250 app: at 1250', answers: [3] },
    ]);
  });

  test('keeps records of other senders and other services apart', () => {
    const { packer, add, texts } = prepared(BY_TIME);
    add('<30>1000 a: 1');
    add('<30>1000 b: 2');
    add('<30>1000 a: 3', '10.0.0.2');
    add('<30>1000 a: 4');
    packer.flush();
    expect(texts()).toEqual(['<30>1000 a: 1\n4', '<30>1000 b: 2', '<30>1000 a: 3']);
  });

  test('hands a group over when its age is reached, without another record', async () => {
    const { clock, add, texts, packer } = prepared(BY_TIME);
    add('<30>1000 a: 1');
    await clock.advance(2_000);
    add('<30>1000 b: 2');
    await clock.advance(2_999);
    expect(texts()).toEqual([]);
    await clock.advance(1);
    expect(texts()).toEqual(['<30>1000 a: 1']);
    await clock.advance(2_000);
    expect(texts()).toEqual(['<30>1000 a: 1', '<30>1000 b: 2']);
    expect([packer.size, packer.heldBytes, clock.waiting]).toEqual([0, 0, 0]);
  });

  test('uses the time of arrival for records without a time', async () => {
    const { clock, add, packer, texts } = prepared(BY_TIME);
    add('one');
    await clock.advance(200);
    add('two');
    await clock.advance(100);
    add('three');
    packer.flush();
    expect(texts()).toEqual(['one\ntwo', 'three']);
  });
});

describe('by start', () => {
  test('appends records to the start before them', () => {
    const { packer, add, emitted } = prepared(BY_START);
    add('<27>1 app: ERROR first\n');
    add('  at line 1\n');
    add('  at line 2\n');
    add('<27>9000 app: ERROR second\n');
    packer.flush();
    expect(emitted).toEqual([
      { text: '<27>1 app: ERROR first\n  at line 1\n  at line 2', answers: [0, 1, 2] },
      { text: '<27>9000 app: ERROR second\n', answers: [3] },
    ]);
  });

  test('passes records on at once when no start came before', () => {
    const { add, texts } = prepared(BY_START);
    add('no start');
    expect(texts()).toEqual(['no start']);
  });
});

describe('the merged record', () => {
  test('has the most severe severity, and the facility of the first', () => {
    const { packer, add, texts } = prepared(BY_TIME);
    for (const priority of [30, 27, 10, 31]) add(`<${priority}>1 app: of ${priority}`);
    packer.flush();
    expect(texts()).toEqual(['<26>1 app: of 30\nof 27\nof 10\nof 31']);
  });

  test('is unchanged when it has one member', () => {
    const { packer, add, texts } = prepared(BY_TIME);
    add('<30>1 app: alone\r\n');
    packer.flush();
    expect(texts()).toEqual(['<30>1 app: alone\r\n']);
  });

  test('has no member whose structured data would be lost, nor a JSON object, nor other bytes than UTF-8', () => {
    const { packer, add, texts } = prepared(BY_TIME);
    add('<30>1 app: {x} 1');
    add('<30>2 app: {x} 2');
    add('<30>3 app: 3');
    add('<30>4 app: {y} 4');
    add('<30>5 app: \u{fffd}');
    add('{"a": 1}');
    packer.flush();
    expect(texts()).toEqual([
      '<30>1 app: {x} 1\n2\n3',
      '<30>4 app: {y} 4',
      '<30>5 app: \u{fffd}',
      '{"a": 1}',
    ]);
  });
});

describe('rules', () => {
  test('apply to records for which their condition holds, the first one first', () => {
    const { packer, add, texts } = prepared([
      { if: 'a', by: 'start', formats: ['START'] },
      { if: 'b', by: 'time' },
    ]);
    add('<30>1 a: START 1');
    add('<30>1 a: 2');
    add('<30>1 b: 3');
    add('<30>1 b: 4');
    add('<30>1 c: 5');
    packer.flush();
    expect(texts()).toEqual(['<30>1 c: 5', '<30>1 a: START 1\n2', '<30>1 b: 3\n4']);
  });

  test.each([
    [{ by: 'size' }],
    [{ by: 'start' }],
    [{ by: 'time', formats: ['x'] }],
    [{ by: 'start', formats: ['x'], window: '1s' }],
    [{ by: 'start', formats: ['$X'] }],
    [{ by: 'time', max_bytes: '2MiB' }],
    [{ by: 'time', max_age: '2m' }],
    [{ by: 'time', max_records: 1 }],
    [{ by: 'time', other: 1 }],
  ])('%j is invalid', (rule) => {
    expect(packSchema().safeParse([rule]).success).toBe(false);
  });

  test('have limits and a key by default', () => {
    expect(packSchema().parse([{ by: 'time' }])).toEqual([
      {
        by: { kind: 'time', windowMs: 250 },
        key: ['network.peer.address', 'host.name', 'service.name'],
        ...{ maxAgeMs: 5_000, maxRecords: 500, maxBytes: 65_536 },
      },
    ]);
  });
});

test('compares the sender of the connection, not that which a record names', () => {
  const { packer, add, texts } = prepared([{ by: 'time', key: ['network.peer.address'] }]);
  for (const peer of ['10.0.0.1', '10.0.0.2']) add('<30>1000 app: peer=192.0.2.9', peer);
  packer.flush();
  expect(texts()).toHaveLength(2);
});

describe('limits', () => {
  test('a group ends at its number of records, and continuations begin another', () => {
    const { packer, add, texts } = prepared([{ ...BY_START[0], max_records: 3 }]);
    add('ERROR x');
    for (let i = 0; i < 4; i++) add(` ${i}`);
    packer.flush();
    expect(texts()).toEqual(['ERROR x\n 0\n 1', ' 2\n 3']);
  });

  test('a group ends before its number of bytes, and a large record is alone', () => {
    const { packer, add, texts } = prepared([{ by: 'time', max_bytes: 20 }]);
    add('0123456789');
    add('012345678');
    add('x');
    add('y'.repeat(30));
    packer.flush();
    expect(texts()).toEqual(['0123456789\n012345678', 'x', 'y'.repeat(30)]);
  });

  test('the oldest group is handed over when all groups together have too many bytes', () => {
    const { packer, add, texts } = prepared(BY_TIME, { bytes: 100 });
    for (let i = 0; i < 5; i++) add(`<30>1 app: ${'x'.repeat(20)}`, `10.0.0.${i}`);
    expect(packer.heldBytes).toBeLessThanOrEqual(100);
    expect(texts()).toHaveLength(2);
  });

  test('the oldest group is handed over when there are too many groups', () => {
    const { packer, add, texts } = prepared(BY_TIME, { groups: 3 });
    for (let i = 0; i < 10; i++) add('<30>1 app: x', `10.0.0.${i}`);
    expect(packer.size).toBe(3);
    expect(texts()).toHaveLength(7);
  });
});

test('each record is in one merged record and answered once, and the order within a key is kept', () => {
  const record = fc.record({
    peer: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    app: fc.constantFrom('a', 'b'),
    time: fc.nat(2_000),
    isStart: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 60 }), fc.constantFrom('time', 'start'), (records, by) => {
      const rules = by === 'time' ? BY_TIME : [{ by: 'start', formats: ['ERROR'], max_records: 4 }];
      const { packer, add, emitted } = prepared(rules, { groups: 4 });
      for (const [index, { peer, app, time, isStart }] of records.entries())
        add(`<30>${time} ${app}: ${isStart ? 'ERROR ' : ''}number ${index};${peer}`, peer);
      packer.flush();
      const answers = emitted.flatMap((each) => each.answers);
      expect(answers.toSorted((a, b) => a - b)).toEqual(records.map((_, index) => index));
      for (const { text, answers: members } of emitted) {
        const numbers = [...text.matchAll(/number (\d+);/g)].map(([, number]) => Number(number));
        expect(numbers).toEqual(members);
      }
      for (const peer of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
        for (const app of ['a', 'b']) {
          const own = answers.filter((each) => records[each]?.peer === peer && records[each]?.app === app);
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
    }),
  );
});
