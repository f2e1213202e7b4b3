import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createLogger } from '../../../src/runtime/logging/logger.ts';

function logged(options: { pretty: boolean; level?: 'info' | 'debug' | 'silent' }) {
  const to = new PassThrough();
  const logger = createLogger({ level: 'info', name: 'aggregator', to, ...options });
  return { logger, text: () => String(to.read() ?? '') };
}

test('one JSON object per line, with a time that people can read', () => {
  const { logger, text } = logged({ pretty: false });
  logger.info({ path: '/x' }, 'A file was opened');
  expect(JSON.parse(text())).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    name: 'aggregator',
    path: '/x',
    msg: 'A file was opened',
  });
});

test('leaves out lines below the level', () => {
  const { logger, text } = logged({ pretty: false });
  logger.debug('Not this one');
  expect(text()).toBe('');
});

test('pretty on a terminal', async () => {
  const { logger, text } = logged({ pretty: true });
  logger.warn({ path: '/x' }, 'A file was opened');
  let shown = '';
  await expect.poll(() => (shown += text())).toContain('A file was opened');
  expect(() => JSON.parse(shown)).toThrow();
});

test.each([
  [true, true],
  [false, false],
])('pretty lines with colours: %s, have escape sequences: %s', async (colours, expected) => {
  const to = new PassThrough();
  createLogger({ level: 'info', name: 'aggregator', to, pretty: true, colours }).warn(
    { path: '/x' },
    'Opened',
  );
  let shown = '';
  await expect.poll(() => (shown += String(to.read() ?? ''))).toContain('Opened');
  expect(shown.includes('\u001b[')).toBe(expected);
});

test('secrets that slipped into a line are not written', () => {
  const { logger, text } = logged({ pretty: false });
  logger.info({ password: 'hunter2', notify: { integration_key: 'hunter2' }, token: 'hunter2' }, 'Oops');
  expect(text()).not.toContain('hunter2');
});

test.each([true, false])('marks of direction and C1 controls are escaped, pretty: %s', async (pretty) => {
  const { logger, text } = logged({ pretty });
  logger.warn({ host: 'a\u202eb\u009bc\u2028d' }, 'A collector has connected');
  let shown = '';
  await expect.poll(() => (shown += text())).toContain('has connected');
  expect(shown).toContain('a\\u202eb\\u009bc\\u2028d');
  expect(shown).not.toMatch(/[\u0080-\u009f\u202e\u2028]/);
});

test.each([true, false])(
  'control characters in an error or a message are escaped, pretty: %s',
  async (pretty) => {
    const { logger, text } = logged({ pretty });
    logger.error(
      { err: new Error('no \u001b[2Jentry\r\b'), path: 'C:\\u001b' },
      'Cannot read \u001b]0;x\u0007: no entry',
    );
    let shown = '';
    await expect.poll(() => (shown += text())).toContain('no entry');
    expect(shown).toContain('Cannot read \\u001b]0;x\\u0007: no entry');
    expect(shown).toContain('no \\u001b[2Jentry\\r\\b');
    // The colours of the prettifier are the only control sequences.
    const plain = shown.replaceAll(new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`, 'g'), '');
    expect(plain.split('').filter((character) => character < ' ' && character !== '\n')).toEqual([]);
  },
);
