import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { layOutPair } from '../testkit/pair.ts';
import { productIsBuilt, untilReady } from '../testkit/product.ts';
import type { RunningProcess } from '../testkit/running-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const PATIENCE = { timeout: 60_000, interval: 100 };

function untilFinished(child: RunningProcess): RunningProcess {
  onTestFinished(async () => void (await child.kill()));
  return child;
}

const TEXTS = {
  'utf-16be': ['\ufeffGröße 5 €', 'ਊ \u{1f600}', 'Ende'],
  'utf-16le': ['Größe 5 €', 'ਊ \u{1f600}', 'Ende'],
  shift_jis: ['エラー ソ十表', 'テスト\\', '終'],
  'windows-1252': ['Größe 5 €', 'déjà', 'fin'],
} as const;

/** An encoding in the configuration, or none for the file with a byte order mark. */
const ENTRIES = Object.keys(TEXTS).map((encoding) => ({
  file: `${encoding}.log`,
  encoding,
  configured: encoding === 'utf-16be' ? {} : { encoding },
}));

test.skipIf(!productIsBuilt())(
  'texts in any encoding arrive once and in UTF-8, also when the collector is killed within a character',
  async () => {
    const directory = await temporaryDirectory();
    const logs = join(directory, 'logs');
    const tail = ENTRIES.map(({ file, configured }) => ({ paths: [join(logs, file)], ...configured }));
    const pair = await layOutPair({
      directory,
      format: 'plain',
      collectorEnv: { COLLECTOR_TAIL_CONFIGURATION: JSON.stringify(tail) },
    });
    const aggregator = untilFinished(pair.startAggregator());
    await untilReady(aggregator, pair.aggregatorHttp);
    const output = async () =>
      (await readFile(pair.outputPath, 'utf8').catch(() => '')).split('\n').slice(0, -1);
    const arrived = (count: number) =>
      vi.waitFor(async () => expect(await output()).toHaveLength(count), PATIENCE);
    const bytesOf = (encoding: string) =>
      iconv.encode(`${TEXTS[encoding as keyof typeof TEXTS].join('\r\n')}\n`, encoding);
    /** The first line, and a byte of a code unit that waits for its rest. A byte that is a unit is sent after idle time. */
    const firstBytes = (encoding: string) =>
      iconv.encode(`${TEXTS[encoding as keyof typeof TEXTS][0]}\r\n`, encoding).length +
      (encoding.startsWith('utf-16') ? 1 : 0);

    const first = untilFinished(pair.startCollector());
    for (const { file, encoding } of ENTRIES) {
      await appendFile(join(logs, file), bytesOf(encoding).subarray(0, firstBytes(encoding)));
    }
    await arrived(ENTRIES.length);
    await first.kill();
    for (const { file, encoding } of ENTRIES) {
      await appendFile(join(logs, file), bytesOf(encoding).subarray(firstBytes(encoding)));
    }
    untilFinished(pair.startCollector());
    await arrived(ENTRIES.length * 3);
    const expected = Object.values(TEXTS).flatMap(([one, two, three]) => [
      `${one.replace('\ufeff', '')}\r`,
      `${two}\r`,
      three,
    ]);
    expect((await output()).sort()).toEqual(expected.sort());
  },
  180_000,
);
