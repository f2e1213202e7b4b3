import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../testkit/random.ts';
import type { Supervised } from '../supervised.ts';

/** The faults of a process; it is running afterwards. */
export interface Treatment {
  /** `collector killed` */
  readonly name: string;
  /** Returns the unexpected behaviour of a process. */
  apply(victims: readonly Supervised[], random: Random): Promise<readonly string[]>;
}

const killed: Treatment = {
  name: 'killed',
  async apply(victims, random) {
    await Promise.all(victims.map((victim) => victim.kill()));
    await sleep(random.between(0, 600));
    for (const victim of victims) victim.start();
    return [];
  },
};

const restarted: Treatment = {
  name: 'restarted',
  async apply(victims) {
    const ends = await Promise.all(victims.map((victim) => victim.askToStop()));
    for (const victim of victims) victim.start();
    // The signal may come before its handler is installed.
    return ends
      .filter((end) => end !== '0' && end !== 'SIGTERM')
      .map((end) => `a process ended with ${end} when it was restarted`);
  },
};

const frozen: Treatment = {
  name: 'frozen',
  async apply(victims, random) {
    for (const victim of victims) victim.freeze();
    await sleep(random.between(200, 3000));
    for (const victim of victims) victim.thaw();
    return [];
  },
};

/** The disk with its state is lost, too: `directoryOf` names the state of a victim; others are only killed. */
export function disksLost(directoryOf: ReadonlyMap<Supervised, string>): Treatment {
  return {
    name: 'killed, the disk with the state lost',
    async apply(victims) {
      await Promise.all(victims.map((victim) => victim.kill()));
      for (const victim of victims) {
        const directory = directoryOf.get(victim);
        // The directory itself may be where a disk is mounted.
        if (directory !== undefined) await removeContents(directory);
        victim.start();
      }
      return [];
    },
  };
}

async function removeContents(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
}

/** Most are killed. */
export const TREATMENTS: readonly Treatment[] = [killed, killed, killed, restarted, frozen];
