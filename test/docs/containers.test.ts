import { expect, test } from 'vitest';
import { parseTailConfiguration } from '../../src/collector/sources/tail/files/tail-configuration.ts';
import { unknownFormats } from '../../src/collector/sources/tail/unknown-formats.ts';
import { markdownBlocks } from '../support/markdown-blocks.ts';

const blocks = ['docs/containers.md', 'docs/formats.md'].flatMap(markdownBlocks).filter(
  // The object is a configuration of the aggregator.
  ({ language, text }) => language === 'json' && text.trimStart().startsWith('['),
);

test('every configuration of the pages about containers and formats is accepted', () => {
  expect(blocks.length).toBe(4);
  for (const { text } of blocks) {
    const entries = parseTailConfiguration(text, 'COLLECTOR_TAIL_CONFIGURATION');
    expect(entries.length).toBeGreaterThan(0);
    expect(unknownFormats(entries)).toEqual([]);
  }
});

test('an unknown format of the messages is reported with the nearest name', () => {
  const entries = parseTailConfiguration('[{"paths": ["/x"], "format": "cri:logfmtt"}]', 'V');
  expect(unknownFormats(entries)).toMatchObject([
    { message: expect.stringContaining('did you mean "logfmt"?') },
  ]);
});
