import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RelpClientSession,
  type RelpClientSessionOptions,
} from '../../../src/protocols/relp/client-session.ts';

const response = (txnr: number, data: string) => `${txnr} rsp ${data.length} ${data}\n`;
/** As captured from rsyslog 8.2302. */
const LIBRELP_OPENED =
  '1 rsp 93 200 OK\nrelp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog\n';
const OPENED = response(1, '200 OK\nrelp_version=0\ncommands=syslog');

function session(options: Partial<RelpClientSessionOptions> = {}) {
  const events: string[] = [];
  const made = new RelpClientSession(
    {
      opened: () => events.push('opened'),
      answered: (index, { code, text }) => events.push(`${index}: ${code} ${text}`),
      ended: () => events.push('ended'),
    },
    { softwareVersion: '1.0', ...options },
  );
  const push = (text: string) => made.push(Buffer.from(text))?.reason;
  const message = (text: string) => made.message(Buffer.from(text)).toString();
  const opened = () => {
    made.open();
    push(OPENED);
    return events.splice(0);
  };
  return { made, events, push, message, opened };
}

it('opens, sends and closes with the bytes of the protocol', () => {
  const { made, events, push, message } = session();
  expect(made.open().toString()).toMatch(
    /^1 open \d+ relp_version=0\nrelp_software=mega-collector,1\.0,\S+\ncommands=syslog\n\n$/,
  );
  expect(made.canSend).toBe(false);
  expect(push(LIBRELP_OPENED)).toBeUndefined();
  expect([message('<13>a'), message('é\n')]).toEqual(['2 syslog 5 <13>a\n', '3 syslog 3 é\n\n']);
  expect(push('2 rsp 6 200 OK\n3 rsp 3 200\n')).toBeUndefined();
  expect(made.close().toString()).toBe('4 close 0\n');
  expect(push('4 rsp 0\n0 serverclose 0\n')).toBeUndefined();
  expect(events).toEqual(['opened', '0: 200 OK', '1: 200 ', 'ended']);
  expect(made.isEnded).toBe(true);
});

it('accepts any split of the responses', () => {
  const bytes = Buffer.from(
    `2 rsp 6 200 OK\n0 hint 3 abc\n4 rsp 6 500 no\n3 rsp 6 200 OK\n0 serverclose 0\n`,
  );
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const { made, events, message, opened } = session();
      opened();
      for (const text of ['a', 'b', 'c']) message(text);
      let from = 0;
      for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
        expect(made.push(bytes.subarray(from, to))).toBeUndefined();
        from = to;
      }
      expect(events).toEqual(['0: 200 OK', '2: 500 no', '1: 200 OK', 'ended']);
    }),
  );
});

describe('the window', () => {
  it('has a limit, and answers in any order make room', () => {
    const { made, message, push, opened, events } = session({ window: 2 });
    opened();
    message('a');
    message('b');
    expect(made.canSend).toBe(false);
    expect(() => message('c')).toThrow('window is full');
    push('3 rsp 6 200 OK\n');
    expect(made.canSend).toBe(true);
    message('c');
    push('4 rsp 6 200 OK\n2 rsp 6 200 OK\n');
    expect(events).toEqual(['1: 200 OK', '2: 200 OK', '0: 200 OK']);
    expect(made.unanswered).toBe(0);
  });

  it('keeps one transaction number for close before the last one', () => {
    const { made, message, opened, push } = session({ maxTxnr: 4 });
    opened();
    message('a');
    message('b');
    expect(made.isExhausted).toBe(true);
    expect(made.canSend).toBe(false);
    push('2 rsp 6 200 OK\n3 rsp 6 200 OK\n');
    expect(made.close().toString()).toBe('4 close 0\n');
  });
});

it('reports an answer other than 200 with its text, cleaned and cut', () => {
  const { message, push, opened, events } = session();
  opened();
  message('a');
  const text = `bad\x1b[31m ${'x'.repeat(200)}`;
  push(response(2, `500 ${text}`));
  expect(events).toEqual([`0: 500 bad?[31m ${'x'.repeat(71)}`]);
});

describe('reports a fault', () => {
  it.each([
    [response(1, '500 no way'), 'the server rejected the session: 500 no way'],
    ['1 rsp 6 200 OK\n', 'the server does not offer the command syslog'],
    [response(1, '200 OK\ncommands=starttls'), 'the server does not offer the command syslog'],
    ['1 rsp 2 OK\n', 'the response has no status code'],
    ['7 rsp 6 200 OK\n', 'the response 7 answers no command'],
    ['1 open 0\n', 'the command open is unknown'],
    ['HTTP/1.1 400 Bad Request\r\n', 'the transaction number must be 1 to 9 digits'],
    ['1 rsp 999999999 ', 'the data must be at most 65536 bytes, got 999999999'],
    ['1 rsp 6 200 OKX', 'the frame does not end with LF after its data'],
  ])('for the response %j', (response, reason) => {
    const { made, push } = session();
    made.open();
    expect(push(response)).toBe(reason);
  });

  it('for a second answer to the same message', () => {
    const { message, push, opened } = session();
    opened();
    message('a');
    expect(push('2 rsp 6 200 OK\n2 rsp 6 200 OK\n')).toBe('the response 2 answers no command');
  });
});
