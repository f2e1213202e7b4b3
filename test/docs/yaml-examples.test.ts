import { expect, test } from 'vitest';
import { configurationFileNames } from '../support/configuration-file-names.ts';
import { markdownBlocks, PAGES } from '../support/markdown-blocks.ts';

const BLOCKS = PAGES.flatMap(markdownBlocks).filter(({ language }) => language === 'yaml');

test.each(BLOCKS)(
  'the configuration file in $page, line $line, sets only variables that there are',
  ({ text }) => {
    expect(configurationFileNames(text)).not.toEqual([]);
  },
);
