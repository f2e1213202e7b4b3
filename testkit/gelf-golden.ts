import { readFile } from 'node:fs/promises';

/** The byte strings of test/fixtures/gelf/. */
export const GOLDEN_FILES = [
  'packet-plain',
  'packet-gzip',
  'packet-zlib',
  'packet-chunked',
  'packet-chunked-gzip',
  'stream-null',
  'stream-newline',
] as const;

export type GoldenName = (typeof GOLDEN_FILES)[number];

/** The datagrams or frames of a file; `directory`: where the fixtures are. */
export async function readGolden(name: GoldenName, directory = 'test/fixtures/gelf'): Promise<Buffer[]> {
  const text = await readFile(`${directory}/${name}.hex`, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line, 'hex'));
}
