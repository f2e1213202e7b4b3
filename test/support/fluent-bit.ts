import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const skipped = (reason: string) => {
  process.stderr.write(`SKIPPED: tests with a real Fluent Bit, ${reason}\n`);
  return undefined;
};

/**
 * Fluent Bit with these outputs: the binary in BENCH_FLUENT_BIT, or an installed one. undefined, with a line on stderr,
 * where there is none.
 */
export function findFluentBit(outputs: readonly string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/opt/fluent-bit/bin'];
  const installed = directories.map((directory) => join(directory, 'fluent-bit'));
  const found = [process.env.BENCH_FLUENT_BIT ?? '', ...installed].find(
    (path) => path !== '' && existsSync(path),
  );
  if (found === undefined) return skipped('which is not installed (set BENCH_FLUENT_BIT)');
  const help = spawnSync(found, ['--help'], { encoding: 'utf8' }).stdout;
  const missing = outputs.filter((output) => !new RegExp(`^ +${output} `, 'm').test(help));
  return missing.length === 0 ? found : skipped(`which is built without ${missing.join(', ')}`);
}
