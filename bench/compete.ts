import { join } from 'node:path';
import { errorMessage } from '../src/runtime/error-message.ts';
import type { WrittenLog } from './access-log.ts';
import type { Contender } from './contender.ts';
import { runTransfer, type Transfer } from './transfer.ts';
import type { Standing } from './transfer-table.ts';

export interface Competition {
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly log: WrittenLog;
  /** A second, smaller log: the difference of both is the CPU without start and warm-up. Absent: no slope. */
  readonly smallLog?: WrittenLog;
  readonly directory: string;
  /** Delay of the link each way; 0: no proxy. */
  readonly delayMs: number;
  readonly report: (text: string) => void;
}

/**
 * All contenders in turn, several times, so that other load on the machine affects all equally. Every second round
 * is in the opposite order.
 */
export async function compete(competition: Competition): Promise<Standing[]> {
  const { contenders, rounds } = competition;
  const courses = contenders.map((contender) => ({ contender, standing: emptyStanding(contender) }));
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? courses : courses.toReversed();
    for (const { contender, standing } of order) await runRound(competition, contender, standing, round);
  }
  return courses.map(({ standing }) => standing);
}

interface GrowingStanding extends Standing {
  readonly runs: Transfer[];
  readonly smallRuns: Transfer[];
  readonly failures: string[];
}

function emptyStanding({ name, key }: Contender): GrowingStanding {
  return { name, key, runs: [], smallRuns: [], failures: [] };
}

async function runRound(
  competition: Competition,
  contender: Contender,
  standing: GrowingStanding,
  round: number,
): Promise<void> {
  const { log, smallLog, directory, delayMs, report } = competition;
  const link = delayMs > 0 ? `${delayMs} ms link, ` : '';
  const run = async (of: WrittenLog, runs: Transfer[]): Promise<void> => {
    const label = `${link}round ${round}, ${contender.name}, ${Math.round(of.bytes / 1e6)} MB`;
    try {
      const transfer = await runTransfer({
        contender,
        log: of,
        directory: join(directory, 'course'),
        delayMs,
      });
      runs.push(transfer);
      report(`${label}: ${describe(transfer, of)}`);
    } catch (error) {
      standing.failures.push(errorMessage(error));
      report(`${label}: FAILED: ${errorMessage(error)}`);
    }
  };
  if (smallLog !== undefined) await run(smallLog, standing.smallRuns);
  await run(log, standing.runs);
}

function describe({ seconds, difference, equality, sender, receiver }: Transfer, log: WrittenLog): string {
  const cpu = sender.cpuSeconds + receiver.cpuSeconds;
  const found = difference === undefined ? equality : `DIFFERENT: ${difference}`;
  return `${(log.bytes / 1e6 / seconds).toFixed(0)} MB/s, ${cpu.toFixed(2)} s of CPU, ${found}`;
}
