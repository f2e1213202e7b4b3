import { expect, it } from 'vitest';
import { explanationRows } from '../../../src/page/status/explanation-rows.ts';

it('shows the reason why a file is not read', () => {
  expect(explanationRows({ kind: 'not-read', path: '/a.log', reason: 'it is empty' })).toEqual([
    ['path', '/a.log'],
    ['reason', 'it is empty'],
  ]);
});

it('shows the amounts of a followed file with their units', () => {
  const status = { stream: '01', sizeBytes: 2048, position: 1024, oldestWaitingMs: 61_400, refusal: null };
  const prefix = { length: 256, hash: 'ab' };
  expect(explanationRows({ kind: 'followed', path: '/a.log', prefix, status })).toEqual([
    ['path', '/a.log'],
    ['prefix length', '256'],
    ['prefix hash', 'ab'],
    ['stream', '01'],
    ['size', '2 KiB (2,048 bytes)'],
    ['position', '1,024'],
    ['oldest waiting', '61 s'],
  ]);
});

it('shows each listener and its rejected senders', () => {
  const rejected = [{ address: '10.0.0.9', times: 3 }];
  const listeners = [
    { listener: 'udp://0.0.0.0:514', state: 'listening', rejected },
    { listener: 'tcp://0.0.0.0:514', state: 'closed' },
  ];
  expect(explanationRows({ kind: 'listeners', listeners })).toEqual([
    ['listener', 'udp://0.0.0.0:514'],
    ['state', 'listening'],
    ['rejected address', '10.0.0.9'],
    ['rejected times', '3'],
    ['listener', 'tcp://0.0.0.0:514'],
    ['state', 'closed'],
  ]);
});

it('shows lists and fields of a later version', () => {
  expect(explanationRows({ kind: 'new', more: { reasons: ['one', 'two'], isGood: true } })).toEqual([
    ['more reasons', 'one'],
    ['more reasons', 'two'],
    ['more is good', 'true'],
  ]);
});
