import { execFileSync } from 'node:child_process';
import { PRODUCT_ENTRY } from '../../testkit/product.ts';

/** The cheapest of several runs: the other runs shared the machine with more. */
export interface CommandCost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

const RUNS = 9;

/** Node can measure children that have ended only together; bash measures each. */
export function commandCost(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): CommandCost {
  const runs = Array.from({ length: RUNS }, () => runOnce([PRODUCT_ENTRY, ...args], env));
  return {
    wallSeconds: Math.min(...runs.map((run) => run.wallSeconds)),
    cpuSeconds: Math.min(...runs.map((run) => run.cpuSeconds)),
  };
}

/** Node itself, with an empty program: no command can be cheaper. */
export function emptyProgramCost(): CommandCost {
  const runs = Array.from({ length: RUNS }, () => runOnce(['-e', '0'], {}));
  return {
    wallSeconds: Math.min(...runs.map((run) => run.wallSeconds)),
    cpuSeconds: Math.min(...runs.map((run) => run.cpuSeconds)),
  };
}

const TIMED = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" >/dev/null 2>/dev/null </dev/null; } 2>&1 || true';

function runOnce(args: readonly string[], env: Readonly<Record<string, string>>): CommandCost {
  const text = execFileSync('bash', ['-c', TIMED, 'bash', process.execPath, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  const [wall = 0, user = 0, system = 0] = text.trim().split(' ').map(Number);
  return { wallSeconds: wall, cpuSeconds: user + system };
}
