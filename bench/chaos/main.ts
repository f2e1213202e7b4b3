/**
 * `make chaos [ROUNDS=20] [SEED=n]`. Exits with 0 only when every line came out as promised; else what the processes
 * said is left in the directory that is named.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshSeed } from '../random.ts';
import { runChaos } from './chaos.ts';
import { describeReport, failuresOf } from './chaos-report.ts';

const { ROUNDS, SEED } = process.env;
const rounds = wholeNumber('ROUNDS', ROUNDS, 20);
const seed = wholeNumber('SEED', SEED, freshSeed());
const directory = await mkdtemp(join(tmpdir(), 'mega-collector-chaos-'));
process.stdout.write(`seed ${seed} (again: make chaos ROUNDS=${rounds} SEED=${seed})\n`);

process.stdout.on('error', () => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (await isClean()) {
  await rm(directory, { recursive: true, force: true });
} else {
  // Whatever hangs is left behind.
  process.stdout.write(`What the processes said and wrote is in ${directory}\n`, () => process.exit(1));
}

async function isClean(): Promise<boolean> {
  try {
    const report = await runChaos({
      rounds,
      seed,
      directory,
      say: (text) => process.stdout.write(`${text}\n`),
    });
    process.stdout.write(`\n${describeReport(report)}\n`);
    return failuresOf(report).length === 0;
  } catch (error) {
    process.stdout.write(`\nFAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

function wholeNumber(variable: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined || text === '' ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  process.stderr.write(`${variable}: ${text ?? ''} is not a whole number\n`);
  process.exit(2);
}
