import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type MessageIdentity,
  parseIdentity,
} from '../../../../src/collector/sources/syslog/message-identity.ts';
import { forgetResends, ResendWindow } from '../../../../src/collector/sources/syslog/resend-window.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** A window of a process, and what the next process has of it after a crash. */
async function prepared({ identity }: { readonly identity?: MessageIdentity } = {}) {
  const store = await openStateStore(join(await temporaryDirectory(), 'state'));
  onTestFinished(() => store.close());
  const opened = () => {
    const window = new ResendWindow({ store, listener: 'relp://:1', identity });
    let end = 0;
    /** Commits everything before the end, like the journal. */
    const commit = async (until = end) => {
      await store.write(() => window.storing(until));
      window.stored();
    };
    const session = (peer: string, messages: Iterable<string>) => {
      const track = window.track(peer);
      const kinds: string[] = [];
      for (const message of messages) {
        const checked = track.check(Buffer.from(message));
        if (checked.kind !== 'dropped') track.add(checked.fingerprint, ++end);
        kinds.push(checked.kind);
      }
      track.end();
      return kinds;
    };
    return { window, commit, session };
  };
  return { ...opened(), opened, store };
}

const NEW = 'new';
const REPEATED = 'repeated';
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `message ${from + index}`);
const count = (kinds: readonly string[], kind: string) => kinds.filter((each) => each === kind).length;

describe('the messages of one read', () => {
  const identity = parseIdentity('json:id') as MessageIdentity;
  const message = (id: number) => Buffer.from(JSON.stringify({ id }));

  /** Adds messages whose end is not known yet. */
  function read(window: ResendWindow, ids: readonly number[]) {
    const track = window.track('a');
    const kinds = ids.map((id) => {
      const checked = track.check(message(id));
      if (checked.kind !== 'dropped') track.add(checked.fingerprint, undefined);
      return checked.kind;
    });
    return { track, kinds };
  }

  it('are recognized from the time of their receipt, and written with the commit of their common end', async () => {
    const { window, commit, opened } = await prepared({ identity });
    const { track, kinds } = read(window, [1, 2, 1]);
    expect(kinds).toEqual([NEW, NEW, 'dropped']);
    track.settle(20);
    expect(track.check(message(2))).toEqual({ kind: 'dropped', answerAfter: 20 });
    await commit(19);
    expect(read(opened().window, [1, 2]).kinds).toEqual([NEW, NEW]);
    await commit(20);
    expect(read(opened().window, [1, 2, 3]).kinds).toEqual(['dropped', 'dropped', NEW]);
  });

  it('are forgotten if they had no room, because they are sent again', async () => {
    const { window, commit, opened } = await prepared({ identity });
    read(window, [1, 2]).track.settle(10);
    read(window, [3, 4]).track.settle(Number.POSITIVE_INFINITY);
    expect(read(window, [1, 3, 4]).kinds).toEqual(['dropped', NEW, NEW]);
    await commit(10);
    expect(read(opened().window, [2, 3]).kinds).toEqual(['dropped', NEW]);
  });
});

describe('without an identity', () => {
  it('recognizes the first messages of a session as those of an earlier session', async () => {
    const { session } = await prepared();
    expect(session('a', 'abcde')).toEqual([NEW, NEW, NEW, NEW, NEW]);
    expect(session('a', 'cdef')).toEqual([REPEATED, REPEATED, REPEATED, NEW]);
  });

  it('recognizes messages that are sent a third time', async () => {
    const { session } = await prepared();
    session('a', 'abc');
    session('a', 'bc');
    expect(session('a', 'bcd')).toEqual([REPEATED, REPEATED, NEW]);
  });

  it('does not mix the messages of two senders', async () => {
    const { session } = await prepared();
    session('a', 'abc');
    expect(session('b', 'abc')).toEqual([NEW, NEW, NEW]);
  });

  it('recognizes the batch that rsyslog repeats after the unanswered messages', async () => {
    const { session } = await prepared();
    // The window of the client is 128. It has sent the first message of its next batch, and had not been answered.
    session('a', numbers(0, 100));
    const again = session('a', [...numbers(1, 129), ...numbers(128, 200)]);
    expect(again.slice(0, 99)).toEqual(Array(99).fill(REPEATED));
    expect(again.slice(99, 128)).toEqual(Array(29).fill(NEW));
    expect(again.slice(128)).toEqual([REPEATED, ...Array(71).fill(NEW)]);
  });

  it('does not compare the messages of a session that is older than a window of the client', async () => {
    const { session } = await prepared();
    expect(session('a', [...numbers(0, 2048), 'message 1', 'message 1']).slice(-2)).toEqual([NEW, NEW]);
  });

  it('recognizes the messages of many clients that share an address', async () => {
    const { session } = await prepared();
    const clients = Array.from({ length: 100 }, (_, client) => numbers(1000 * client, 1000 * client + 128));
    for (const messages of clients) session('proxy', messages);
    for (const messages of clients) expect(count(session('proxy', messages), REPEATED)).toBe(128);
  });
});

describe('after a crash', () => {
  it('recognizes the messages that were stored', async () => {
    const { session, commit, opened } = await prepared();
    session('a', numbers(0, 300));
    await commit();
    session('a', numbers(300, 310));
    await commit(305);
    const kinds = opened().session('a', numbers(200, 320));
    expect(kinds.slice(0, 105)).toEqual(Array(105).fill(REPEATED));
    expect(kinds.slice(105)).toEqual(Array(15).fill(NEW));
  });

  it('has the newest messages of a long session, and a limited number of rows', async () => {
    const { session, commit, opened, store } = await prepared();
    for (let from = 0; from < 30_000; from += 500) {
      session('a', numbers(from, from + 500));
      await commit();
    }
    expect([...store.table('syslog resends').entries()].length).toBeLessThan(140);
    expect(count(opened().session('a', numbers(29_000, 30_000)), REPEATED)).toBe(1000);
    expect(count(opened().session('a', numbers(0, 500)), REPEATED)).toBe(0);
  });

  it('keeps what a failed commit had to write', async () => {
    const { session, opened, store } = await prepared();
    const failing = new ResendWindow({ store, listener: 'relp://:1' });
    const track = failing.track('a');
    const checked = track.check(Buffer.from('one'));
    if (checked.kind !== 'dropped') track.add(checked.fingerprint, 1);
    const failed = store.write(() => {
      failing.storing(1);
      throw new Error('failed');
    });
    await expect(failed).rejects.toThrow();
    expect(opened().session('a', ['one'])).toEqual([NEW]);
    await store.write(() => failing.storing(1));
    failing.stored();
    expect(opened().session('a', ['one'])).toEqual([REPEATED]);
    expect(session('a', ['one'])).toEqual([NEW]);
  });

  it('has nothing of listeners that are not configured any more', async () => {
    const { session, commit, opened, store } = await prepared();
    session('a', ['one']);
    await commit();
    await forgetResends(store, new Set(['relp://:2']));
    expect(opened().session('a', ['one'])).toEqual([NEW]);
  });
});

describe('with an identity', () => {
  const identity = parseIdentity('sd:meta.id');
  if (identity === undefined) throw new Error('no identity');
  const message = (id: number, text = 'x') => `<13>1 - host app - - [meta id="${id}"] ${text}`;

  it('drops repetitions at any time, and only those with the same bytes', async () => {
    const { session } = await prepared({ identity });
    session('a', [message(1), message(2)]);
    expect(session('a', [message(3), message(2), message(2, 'y')])).toEqual([NEW, 'dropped', NEW]);
    expect(session('a', [...numbers(0, 3000), message(1)]).at(-1)).toBe('dropped');
  });

  it('keeps equal messages of two senders', async () => {
    const { session } = await prepared({ identity });
    session('a', [message(1)]);
    expect(session('b', [message(1)])).toEqual([NEW]);
  });

  it('marks repetitions of messages without an identity', async () => {
    const { session } = await prepared({ identity });
    session('a', ['no identity']);
    expect(session('a', ['no identity'])).toEqual([REPEATED]);
  });

  it('does not drop a message that was not stored before a crash', async () => {
    const { session, commit, opened } = await prepared({ identity });
    session('a', [message(1), message(2)]);
    await commit(1);
    expect(opened().session('a', [message(1), message(2)])).toEqual(['dropped', NEW]);
  });

  it('does not depend on the address with the identity of another mega-collector', async () => {
    const { session } = await prepared({ identity: parseIdentity('megacollector') as MessageIdentity });
    const own = '<13>1 - host app - - [megacollector@32473 stream="s" position="7"] x';
    session('a', [own]);
    expect(session('b', [own])).toEqual(['dropped']);
  });
});
