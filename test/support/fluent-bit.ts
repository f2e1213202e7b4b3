import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Fluent Bit: the binary in BENCH_FLUENT_BIT, or an installed one. undefined, with a line on stderr, where there is none.
 */
export function findFluentBit(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/opt/fluent-bit/bin'];
  const installed = directories.map((directory) => join(directory, 'fluent-bit'));
  const found = [process.env.BENCH_FLUENT_BIT ?? '', ...installed].find(
    (path) => path !== '' && existsSync(path),
  );
  if (found === undefined)
    process.stderr.write(
      'SKIPPED: tests with a real Fluent Bit, which is not installed (set BENCH_FLUENT_BIT)\n',
    );
  return found;
}
