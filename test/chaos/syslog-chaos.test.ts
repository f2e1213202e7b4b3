import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runSyslogChaos } from '../../bench/chaos/syslog/syslog-chaos.ts';
import { describeSyslogReport, syslogFailuresOf } from '../../bench/chaos/syslog/syslog-report.ts';
import { productIsBuilt } from '../../testkit/product.ts';
import { freshSeed } from '../../testkit/random.ts';
import { findLogDaemon } from '../support/log-daemons.ts';

const ROUNDS = 5;
const hasPeers = findLogDaemon('rsyslog', 'omrelp') !== undefined && findLogDaemon('syslog-ng') !== undefined;

/** The short form of `make chaos SYSLOG=...`. CHAOS_SEED=n repeats a plan. */
describe.skipIf(!hasPeers)('real rsyslog and loggen, and kills of senders and receivers', () => {
  test.each([
    ['every answered message is stored, and repeated ones are marked', false],
    ['every answered message is stored once with an identity', true],
  ])('%s', { timeout: 400_000 }, async (_what, hasIdentity) => {
    expect(productIsBuilt(), 'dist/ is built (make test does)').toBe(true);
    const { CHAOS_SEED } = process.env;
    const seed = CHAOS_SEED === undefined ? freshSeed() : Number(CHAOS_SEED);
    const directory = await mkdtemp(join(tmpdir(), 'mega-collector-chaos-'));
    const said: string[] = [];

    const report = await runSyslogChaos({
      ...{ rounds: ROUNDS, seed, directory, hasIdentity, deadlineMs: 360_000 },
      say: (text) => void said.push(text),
    });

    const explanation = `${said.join('\n')}\n${describeSyslogReport(report)}\nleft in ${directory}`;
    expect(syslogFailuresOf(report), explanation).toEqual([]);
    await rm(directory, { recursive: true, force: true });
  });
});
