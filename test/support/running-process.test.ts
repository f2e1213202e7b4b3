import { describe, expect, test } from 'vitest';
import { untilReady } from '../../testkit/product.ts';
import { runCommand } from '../../testkit/running-process.ts';
import { testProcess } from './processes.ts';

const node = (script: string) => ({
  name: 'the child',
  command: process.execPath,
  args: ['-e', script],
});

describe('a running process', () => {
  test('tells how it ended, and what it said last', async () => {
    const child = testProcess(node('console.error("so it goes"); process.exit(3)'));
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.stderr).toContain('so it goes');
  });

  test('is stopped by SIGTERM', async () => {
    let output = '';
    const child = testProcess({
      ...node('process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log("up")'),
      onStdout: (chunk) => {
        output += chunk.toString();
      },
    });
    await expect.poll(() => output, { timeout: 10_000 }).toBe('up\n');
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  test('is killed, and complained about, when it does not heed', async () => {
    let output = '';
    const child = testProcess({
      ...node('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")'),
      onStdout: (chunk) => {
        output += chunk.toString();
      },
    });
    await expect.poll(() => output, { timeout: 10_000 }).toBe('up\n');
    await expect(child.stop(100)).rejects.toThrow('did not stop within 100 ms');
    expect(child.exit).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('sees nothing of our environment but what it is given', async () => {
    process.env.COLLECTOR_TAIL = 'leaked';
    try {
      const plan = node('process.stdout.write([process.env.COLLECTOR_TAIL, process.env.GIVEN].join(" "))');
      expect(await runCommand({ ...plan, env: { GIVEN: 'yes' } })).toBe(' yes');
    } finally {
      delete process.env.COLLECTOR_TAIL;
    }
  });

  test('that cannot be started ends with a reason', async () => {
    const plan = { name: 'nothing', command: '/does/not/exist' };
    await expect(runCommand(plan)).rejects.toThrow('ENOENT');
  });

  test('that ends before it is ready says why', async () => {
    const child = testProcess(node('console.error("no such setting"); process.exit(78)'));
    await expect(untilReady(child, '127.0.0.1:1')).rejects.toThrow(/ended with 78[\s\S]*no such setting/);
  });
});
