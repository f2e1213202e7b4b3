import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRelpFrame } from '../../../src/protocols/relp/frame-writer.ts';
import { RelpServerSession } from '../../../src/protocols/relp/server-session.ts';

const OFFERS = 'relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog\n';
const OURS =
  'relp_version=0\nrelp_software=mega-collector,1.2.3,https://www.npmjs.com/package/mega-collector\ncommands=syslog\n';
const OPENED = `1 rsp ${7 + OURS.length} 200 OK\n${OURS}\n`;
const open = (txnr = 1, offers = OFFERS) => encodeRelpFrame(txnr, 'open', offers).toString('latin1');
const syslog = (txnr: number, text: string) => encodeRelpFrame(txnr, 'syslog', text).toString('latin1');

interface Run {
  readonly messages: string[];
  readonly answers: string;
  readonly fault: string | undefined;
  readonly isEnded: boolean;
}

/** Pushes the chunks; each message is flushed at once. */
function run(chunks: Iterable<Uint8Array | string>, keptBytes = 256 * 1024): Run {
  const messages: string[] = [];
  const session = new RelpServerSession(
    {
      opened: () => {},
      message: (data, dataBytes) => {
        const text = Buffer.from(data).toString('latin1');
        return messages.push(data.length < dataBytes ? `${text}...${dataBytes}` : text);
      },
    },
    { softwareVersion: '1.2.3', limits: { keptBytes, dataBytes: 16 * 1024 * 1024 } },
  );
  let fault: string | undefined;
  for (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Uint8Array.from(chunk);
    fault ??= session.push(bytes)?.kind;
  }
  const answers = session.answers(Number.POSITIVE_INFINITY)?.toString() ?? '';
  return { messages, answers, fault, isEnded: session.isEnded };
}

describe('a RELP server session', () => {
  const FIRST = '<34>1 2015-05-08T22:21:43.758Z host app 12 ID - m0\n';
  const LOOKS_LIKE_FRAMES = '3 syslog 1 x\n4 close 0\n';
  const session = `${open()}${syslog(2, FIRST)}${syslog(3, LOOKS_LIKE_FRAMES)}4 syslog 0\n5 close 0\n`;
  const whole: Run = {
    messages: [FIRST, LOOKS_LIKE_FRAMES, ''],
    answers: `${OPENED}2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n5 rsp 0\n0 serverclose 0\n`,
    fault: undefined,
    isEnded: true,
  };

  it('answers each command in order, and closes', () => {
    expect(run([session])).toEqual(whole);
  });

  it('returns the same for every split into two pieces', () => {
    const bytes = Buffer.from(session, 'latin1');
    for (let at = 0; at <= bytes.length; at++)
      expect(run([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    expect(run(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('returns the same for any split of any bytes', () => {
    const bytes = fc.oneof(
      fc.array(fc.uint8Array({ maxLength: 40 })).map((parts) => Buffer.concat(parts)),
      fc
        .array(fc.uint8Array({ maxLength: 40 }))
        .map((parts) =>
          Buffer.concat([
            Buffer.from(open()),
            ...parts.map((part, i) => encodeRelpFrame(i + 2, 'syslog', part)),
          ]),
        ),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat({ max: 1000 })), (all, cuts) => {
        const ends = [...cuts.filter((cut) => cut <= all.length), all.length].sort((a, b) => a - b);
        const chunks = ends.map((end, i) => all.subarray(ends[i - 1] ?? 0, end));
        expect(run(chunks, 100)).toEqual(run([all], 100));
      }),
    );
  });

  it('answers a message only when its position is flushed, and all due answers in one buffer', () => {
    let end = 0;
    const session = new RelpServerSession(
      { opened: () => {}, message: () => (end += 10) },
      { softwareVersion: '1.2.3' },
    );
    session.push(Buffer.from(open() + syslog(2, 'a') + syslog(3, 'b') + syslog(4, 'c')));
    expect(session.answers(0)?.toString()).toBe(OPENED);
    expect(session.answers(9)).toBeUndefined();
    expect(session.unanswered).toBe(3);
    expect(session.answers(20)?.toString()).toBe('2 rsp 6 200 OK\n3 rsp 6 200 OK\n');
    session.shutdown();
    expect(session.answers(29)).toBeUndefined();
    expect(session.answers(30)?.toString()).toBe('4 rsp 6 200 OK\n0 serverclose 0\n');
    expect(session.unanswered).toBe(0);
  });

  it('truncates a message above the limit and answers it', () => {
    const kept = 'x'.repeat(100);
    const { messages, answers } = run([open() + syslog(2, `${kept}abc`) + syslog(3, kept)], 100);
    expect(messages).toEqual([`${kept}...103`, kept]);
    expect(answers).toBe(`${OPENED}2 rsp 6 200 OK\n3 rsp 6 200 OK\n`);
  });

  it('answers a repeated identical open with 200, and another open with 500', () => {
    expect(run([open() + open() + syslog(2, 'a')])).toMatchObject({
      messages: ['a'],
      answers: `${OPENED}${OPENED}2 rsp 6 200 OK\n`,
      fault: undefined,
    });
    expect(run([open() + open(2, 'commands=syslog\n')])).toMatchObject({
      answers: `${OPENED}2 rsp 43 500 protocol error: connection already open\n0 serverclose 0\n`,
      fault: 'bad offer',
    });
  });

  it('accepts offers without a version, with version 1, and with a leading LF', () => {
    for (const offers of [
      'commands=syslog',
      '\nrelp_version=1\ncommands=syslog,eventlog',
      'commands=a,syslog\n',
    ])
      expect(run([open(1, offers)]).answers).toBe(OPENED);
  });

  it('refuses a client that does not offer syslog', () => {
    expect(run([open(1, 'relp_version=0\n')]).answers).toBe(
      '1 rsp 44 500 required command not supported by client\n0 serverclose 0\n',
    );
  });

  it('answers messages before the open with 500, and closes after three', () => {
    const { answers, messages } = run(['1 syslog 1 a\n2 syslog 1 b\n3 syslog 1 c\n4 syslog 1 d\n']);
    const disabled = (txnr: number) => `${txnr} rsp 20 500 command disabled\n`;
    expect(answers).toBe(`${disabled(1)}${disabled(2)}${disabled(3)}0 serverclose 0\n`);
    expect(messages).toEqual([]);
  });

  it.each([
    ['an open with another number', open(5)],
    ['a number that does not follow', open() + syslog(4, 'a')],
    ['the number 0', `${open()}0 syslog 1 a\n`],
    ['an unknown command', `${open()}2 starttls 0\n`],
    ['a number of ten digits', '1000000000 open 0\n'],
    ['a number that is none', 'x open 0\n'],
    ['a leading LF', `\n${open()}`],
    ['a negative length', '1 open -1\n'],
    ['a length of ten digits', '1 open 1000000000 '],
    ['a length above the limit', '1 open 999999999 '],
    ['a command of 33 letters', `1 ${'a'.repeat(33)} 0\n`],
    ['a wrong trailer', '1 open 1 ab'],
    ['a blank after the length 0', '1 open 0 \n'],
  ])('ends with serverclose for %s', (_what, text) => {
    const result = run([text, syslog(2, 'later')]);
    expect(result.fault).toBeDefined();
    expect(result.answers.endsWith('0 serverclose 0\n')).toBe(true);
    expect(result.messages).toEqual([]);
  });

  it('returns a fault when the connection ends inside a frame', () => {
    const session = new RelpServerSession({ opened: () => {}, message: () => 0 }, { softwareVersion: '1' });
    session.push(Buffer.from(`${open()}2 sys`));
    expect(session.end()?.kind).toBe('truncated');
  });
});
