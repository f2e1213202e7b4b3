import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunningProcess } from '../../testkit/running-process.ts';
import type { FleetPlan, FleetReport } from './fleet-plan.ts';

const PROGRAM = join(import.meta.dirname, 'fleet-process.js');

/** Processes of simulated collectors, and the sums of their reports. */
export class Fleet {
  readonly #processes: readonly RunningProcess[];
  served = 0;
  accepted = 0;
  sent = 0;
  unsent = 0;

  constructor(plan: Omit<FleetPlan, 'number'>, processes: number) {
    const part: Omit<FleetPlan, 'number'> = {
      ...plan,
      collectors: Math.ceil(plan.collectors / processes),
      batchesPerSecond: plan.batchesPerSecond / processes,
    };
    this.#processes = Array.from({ length: processes }, (_, at) => this.#start({ ...part, number: at + 1 }));
  }

  /** Resolves when so many collectors were served since `served` was set to 0, or after the time; returns the number. */
  async untilServed(collectors: number, withinMs: number): Promise<number> {
    const deadline = performance.now() + withinMs;
    while (this.served < collectors && performance.now() < deadline) await sleep(50);
    return this.served;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()));
  }

  #start(plan: FleetPlan): RunningProcess {
    let rest = '';
    return RunningProcess.start({
      name: `fleet ${plan.number}`,
      command: process.execPath,
      args: ['--max-old-space-size=4096', PROGRAM, JSON.stringify(plan)],
      onStdout: (chunk) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#add(JSON.parse(line) as FleetReport);
      },
    });
  }

  #add({ served, accepted, sent, unsent }: FleetReport): void {
    this.served += served;
    this.accepted += accepted;
    this.sent += sent;
    this.unsent += unsent;
  }
}
