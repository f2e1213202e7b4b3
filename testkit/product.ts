import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectorStatus } from '../src/collector/collector-reports.ts';
import type { QueueBalance } from '../src/storage/queue/queue-contract.ts';
import { type ProcessPlan, RunningProcess, runCommand } from './running-process.ts';

/** Where `make build` puts the product. Found from here or from the compiled tools: both are run in the checkout. */
export const PRODUCT_ENTRY = join(process.cwd(), 'dist/bin/mega-collector.js');

export function productIsBuilt(): boolean {
  return existsSync(PRODUCT_ENTRY);
}

export interface ProductPlan {
  readonly subcommand: 'aggregator' | 'collector' | 'standalone';
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  /** A command that runs the product as its last arguments. */
  readonly wrapper?: readonly string[];
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
}

/** Starts the built binary, as a user would. It may not be ready yet: see `untilReady`. */
export function startProduct(plan: ProductPlan): RunningProcess {
  const { subcommand, args = [], nodeArgs = [], wrapper = [], env, onStdout, onStderr } = plan;
  const [command, ...rest] = [...wrapper, process.execPath];
  return RunningProcess.start({
    name: subcommand,
    command,
    args: [...rest, ...nodeArgs, PRODUCT_ENTRY, subcommand, ...args],
    env,
    ...(onStdout && { onStdout }),
    ...(onStderr && { onStderr }),
  } satisfies ProcessPlan);
}

/** Resolves when the process says at its HTTP address that it can take data. */
export async function untilReady(
  process: RunningProcess,
  httpAddress: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isReady(httpAddress))) {
    if (process.exit !== undefined) {
      const { code, signal } = process.exit;
      throw new Error(`${process.name} ended with ${signal ?? code} before it was ready\n${process.stderr}`);
    }
    if (Date.now() > deadline) {
      throw new Error(`${process.name} was not ready within ${timeoutMs} ms\n${process.stderr}`);
    }
    await sleep(20);
  }
}

async function isReady(httpAddress: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${httpAddress}/health/ready`, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** What `mega-collector status --json` says of an aggregator's state directory, whether its owner runs or not. */
export async function readBalance(stateDirectory: string): Promise<QueueBalance> {
  return (await readStatus(stateDirectory)) as QueueBalance;
}

/** The same of a collector's. `wrapper`: that of the collector, without which the files may be others. */
export async function readCollectorBalance(
  stateDirectory: string,
  wrapper: readonly string[] = [],
): Promise<CollectorStatus> {
  return (await readStatus(stateDirectory, wrapper)) as CollectorStatus;
}

async function readStatus(stateDirectory: string, wrapper: readonly string[] = []): Promise<unknown> {
  const [command, ...rest] = [...wrapper, process.execPath];
  const text = await runCommand({
    name: 'mega-collector status',
    command,
    args: [...rest, PRODUCT_ENTRY, 'status', '--json', '--state-directory', stateDirectory],
  });
  return JSON.parse(text);
}
