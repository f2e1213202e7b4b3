import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { productIsBuilt } from '../../testkit/product.ts';
import { RunningProcess } from '../../testkit/running-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LOADER = join(process.cwd(), 'test/support/typescript-loader.mjs');
const DEMO = join(process.cwd(), 'bench/demo/demo.ts');

async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 100));
}

describe.skipIf(!productIsBuilt())('the demo without an end', () => {
  test('serves the page with live data until Ctrl-C, and leaves nothing', { timeout: 180_000 }, async () => {
    const temporary = await temporaryDirectory();
    let output = '';
    const demo = RunningProcess.start({
      name: 'demo',
      command: process.execPath,
      args: ['--import', LOADER, DEMO],
      env: { DEMO_SECONDS: '0', TMPDIR: temporary },
      onStdout: (chunk) => {
        output += chunk.toString();
      },
    });
    onTestFinished(async () => void (await demo.kill()));
    const address = () => /Open (http:\/\/127\.0\.0\.1:\d+\/) in a browser/.exec(output)?.[1];
    await until(() => address() !== undefined || demo.exit !== undefined);
    const page = address() ?? '';
    const answer = await fetch(page);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<script type="module"');
    const records = async () => {
      const histogram = await fetch(`${page}v1/logs/histogram?from=1h`);
      return ((await histogram.json()) as { readonly total?: number }).total ?? 0;
    };
    await until(async () => (await records()) > 0);
    const before = await records();
    await until(async () => (await records()) > before);
    demo.signal('SIGINT');
    expect(await demo.exited, `${output}${demo.stderr}`).toEqual({ code: 0, signal: null });
    expect(output).toContain('written = accepted = emitted = stored');
    expect(await readdir(temporary)).toEqual([]);
    await expect(fetch(page)).rejects.toThrow();
  });
});
