import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

const WATCHER = new URL('../../../src/cli/output/watch-pipe-reader.ts', import.meta.url).href;
const LOADER = new URL('../../support/typescript-loader.mjs', import.meta.url).href;

/** A program that writes one line, and then waits for its reader to go away. */
const PROGRAM = `
  import { watchPipeReader } from ${JSON.stringify(WATCHER)};
  watchPipeReader(1, () => process.exit(42));
  // After the first search for the reader.
  setTimeout(() => console.log('first'), 2000);
  setInterval(() => {}, 1000);`;

test.runIf(process.platform === 'linux')(
  'a program whose output is a pipe ends when its reader ends, without another write',
  async () => {
    const shell = spawn('bash', [
      '-c',
      `"$0" --import "$1" --input-type=module --eval "$2" | head -1 > /dev/null; echo "\${PIPESTATUS[0]}"`,
      ...[process.execPath, LOADER, PROGRAM],
    ]);
    onTestFinished(() => void shell.kill('SIGKILL'));
    let output = '';
    shell.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(shell, 'close');
    expect(output.trim()).toBe('42');
  },
);
