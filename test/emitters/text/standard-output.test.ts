import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const MODULE = new URL('../../../src/emitters/text/standard-output.ts', import.meta.url).href;
const BYTES = 4_000_000;

/** Writes a lot, and reports on stderr that its event loop is running. */
const SCRIPT = `
  import { standardOutput } from ${JSON.stringify(MODULE)};
  const stdout = standardOutput(process.stdout);
  stdout.write(Buffer.alloc(${BYTES}, 'x'), () => process.stderr.write('written\\n'));
  setTimeout(() => process.stderr.write('turning\\n'), 10);
`;

function start(stdout: 'pipe' | number) {
  const child = spawn(process.execPath, [...THREAD_ARGUMENTS, '--input-type=module', '--eval', SCRIPT], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test('a pipe without an active reader does not block the event loop, and loses nothing', async () => {
  const child = start('pipe');
  const [first] = (await once(child.stderr ?? child, 'data')) as [Buffer];
  expect(first.toString()).toBe('turning\n');
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(child, 'close');
  expect(bytes).toBe(BYTES);
});

test('writes to a file', async () => {
  const path = join(await temporaryDirectory(), 'out');
  await once(start(openSync(path, 'w')), 'close');
  expect(readFileSync(path).length).toBe(BYTES);
});
