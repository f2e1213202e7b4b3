import { expect, it } from 'vitest';
import { ResendWindow } from '../../../../src/collector/sources/syslog/resend-window.ts';

const session = (window: ResendWindow, peer: string, messages: string) => {
  const track = window.track(peer);
  return { track, repeated: Array.from(messages, (message) => track.isRepeated(Buffer.from(message))) };
};

it('recognizes the first messages of a session as the last ones of an earlier session', () => {
  const window = new ResendWindow();
  expect(session(window, 'a', 'abcde').repeated).toEqual([false, false, false, false, false]);
  expect(session(window, 'a', 'cdefc').repeated).toEqual([true, true, true, false, false]);
});

it('recognizes messages that are sent a third time', () => {
  const window = new ResendWindow();
  session(window, 'a', 'abc');
  session(window, 'a', 'bc');
  expect(session(window, 'a', 'bcd').repeated).toEqual([true, true, false]);
});

it('does not mix the sessions of two peers', () => {
  const window = new ResendWindow();
  session(window, 'a', 'abc');
  expect(session(window, 'b', 'abc').repeated).toEqual([false, false, false]);
});

it('does not recognize equal messages within a session', () => {
  expect(session(new ResendWindow(), 'a', 'aaa').repeated).toEqual([false, false, false]);
});
