import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const fileFixture: EmitterFixture = {
  type: 'file',
  open: async () => {
    const path = join(await temporaryDirectory(), 'out.log');
    return {
      value: JSON.stringify({ path }),
      bodies: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1),
      refuse: async () => {
        await mkdir(path);
        return () => rmdir(path);
      },
    };
  },
};
