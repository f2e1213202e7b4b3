import { expect, it } from 'vitest';
import { inheritedSockets } from '../../src/runtime/inherited-sockets.ts';

it('returns the sockets by name, in the order of their numbers', () => {
  const environment = { LISTEN_PID: '7', LISTEN_FDS: '4', LISTEN_FDNAMES: 'syslog-udp:web:web' };
  expect(inheritedSockets(environment, 7)).toEqual(
    new Map([
      ['syslog-udp', [3]],
      ['web', [4, 5]],
      ['unknown', [6]],
    ]),
  );
});

it.each([
  ['the variables are for another process', { LISTEN_PID: '8', LISTEN_FDS: '1', LISTEN_FDNAMES: 'a' }],
  ['there are none', {}],
  ['the number is invalid', { LISTEN_PID: '7', LISTEN_FDS: '-1' }],
])('returns none if %s', (_case, environment) => {
  expect(inheritedSockets(environment, 7).size).toBe(0);
});
