import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../src/cli/output/text-width.ts';
import { run } from '../../src/cli/run.ts';
import type { Role } from '../../src/runtime/configuration/state-directory.ts';
import { capturedIo } from '../support/captured-io.ts';
import { answerWith, type FakeAnswers, ownedDirectory } from '../support/owner-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LONG = `/var/log/${'a-long-directory/'.repeat(8)}access.log`;
const STREAM = '0123456789abcdef0123456789abcdef';
const AMOUNT = { records: 123_456_789_012, bytes: 9_876_543_210_987 };
const BALANCE = { read: 5e12, accepted: 4e12, waiting: 1e12, unread: 7e11 };
const LETTER = {
  ...{ id: `a-long-name-of-an-emitter/${STREAM}/123456789012`, emitter: 'e', stream: STREAM, position: 4096 },
  ...{
    reason: `the destination rejects ${LONG}`,
    rejectedTimeUnixNano: '1700000000123456789',
    replaying: true,
  },
  ...AMOUNT,
};
const EMITTER = {
  emitter: 'a-long-name-of-an-emitter',
  ...{ before: AMOUNT, delivered: AMOUNT, queued: AMOUNT, deadLettered: AMOUNT, discarded: AMOUNT },
};

const AGGREGATOR: FakeAnswers = {
  getStatus: answerWith({
    role: 'aggregator',
    accepted: AMOUNT,
    emitters: [EMITTER, EMITTER],
    diskBytes: 1e12,
  }),
  listEmitters: answerWith({
    emitters: [{ name: EMITTER.emitter, configured: true, queued: AMOUNT, deadLettered: AMOUNT }],
  }),
  listDeadLetters: answerWith({ deadLetters: [LETTER, LETTER] }),
  getDeadLetter: answerWith({
    letter: LETTER,
    format: 'plain',
    resource: { 'log.file.path': LONG },
    data: Buffer.from('record\n').toString('base64'),
  }),
};

const COLLECTOR: FakeAnswers = {
  getStatus: answerWith({
    role: 'collector',
    ...BALANCE,
    streams: [{ stream: STREAM, source: LONG, ...BALANCE }],
  }),
  explainFile: answerWith({ kind: 'not-read', path: LONG, reason: `it is a copy of ${LONG}, which is read` }),
};

/** In a directory whose path is longer than a line. */
async function owned(role: Role, answers: FakeAnswers): Promise<string> {
  const path = join(await temporaryDirectory(), 'a-long-directory'.repeat(6), role);
  return await ownedDirectory(role, answers, path);
}

/** Standard output and standard error are terminals of this width; undefined: pipes. */
async function printed(argv: readonly string[], columns: number | undefined, environment = {}) {
  const { io, stdout, stderr } = capturedIo({ environment: { HOME: '/h', ...environment } });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const streams = { stdout: Object.assign(io.stdout, terminal), stderr: Object.assign(io.stderr, terminal) };
  await run(argv, { ...io, ...streams });
  return stdout() + stderr();
}

function expectFits(narrow: string, wide: string): void {
  for (const line of narrow.split('\n')) expect(textWidth(line), line).toBeLessThanOrEqual(80);
  expect(Math.max(...wide.split('\n').map(textWidth))).toBeGreaterThan(80);
  // A row by itself repeats the titles of its columns.
  const words = (text: string) => new Set(text.replaceAll(/\n\s*/g, '').match(/[0-9a-f]{32}|access\.log/g));
  expect(words(narrow)).toEqual(words(wide));
}

describe('fits into a terminal of 80 columns, and prints whole lines in a pipe', () => {
  it.each([['status'], ['emitters', 'list'], ['dead-letters', 'list'], ['dead-letters', 'show', LETTER.id]])(
    'of %s %s',
    async (...argv) => {
      const command = [...argv, '--state-directory', await owned('aggregator', AGGREGATOR)];
      expectFits(await printed(command, 80), await printed(command, undefined));
    },
  );

  it.each([
    ['status', '--verbose'],
    ['explain', 'x'],
  ])('of a collector: %s %s', async (...argv) => {
    const command = [...argv, '--state-directory', await owned('collector', COLLECTOR)];
    expectFits(await printed(command, 80), await printed(command, undefined));
  });

  it.each([
    ['collector', '--check'],
    ['collector', '--check', '--connect'],
    ['standalone', '--check'],
  ])('of %s %s %s', async (...argv) => {
    const environment = {
      COLLECTOR_TAIL: `${LONG},${LONG}.*`,
      COLLECTOR_AGGREGATOR_ADDRESS: '127.0.0.1:1',
      COLLECTOR_TYPO: '1',
      AGGREGATOR_TEXT_CONFIGURATION: '1',
    };
    const command = argv.filter((word) => word !== undefined);
    expectFits(await printed(command, 80, environment), await printed(command, undefined, environment));
  });
});
