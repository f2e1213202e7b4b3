import { open, rename, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

describe('a process that continues to write to a file after its rotation', () => {
  it.each(['renamed', 'deleted'] as const)(
    'does not block the new file for more than a minute: %s',
    async (how) => {
      const tailing = await Tailing.start({ globs: ['*.log'] });
      await tailing.append('app.log', numbered(0, 10, 'old'));
      await tailing.turn();
      const writer = await open(tailing.path('app.log'), 'a');
      if (how === 'renamed') await rename(tailing.path('app.log'), tailing.path('app.log.1'));
      else await rm(tailing.path('app.log'));
      await tailing.append('app.log', numbered(0, 5, 'new'));
      for (let second = 0; second < 60; second++) {
        await writer.write(numbered(10 + 2 * second, 1, 'old'));
        await tailing.pass(500, 500);
        await writer.write(numbered(11 + 2 * second, 1, 'old'));
        await tailing.pass(500, 500);
        if (second !== 10) continue;
        expect(tailing.taken.text()).not.toContain('new');
        expect(await tailing.source.explain('app.log')).toMatchObject({
          waitsFor: expect.stringContaining('app.log'),
          waitsBecause: expect.stringMatching(/may still be written to.* at the latest in \d+ s/),
        });
      }
      await writer.close();
      await tailing.pass(3_000);
      const lines = tailing.taken.text().split('\n').filter(Boolean);
      const of = (tag: string) =>
        lines
          .filter((line) => line.startsWith(tag))
          .map((line) => `${line}\n`)
          .join('');
      expect(of('new')).toBe(numbered(0, 5, 'new'));
      expect(of('old')).toBe(numbered(0, 130, 'old'));
      expect(lines.findIndex((line) => line.startsWith('new'))).toBeLessThan(lines.length - 20);
    },
  );
});
