/**
 * Some thousand collectors in one process; started by `fleet.ts` with a plan as its first argument. It reports once a
 * second on stdout, as JSON lines, what happened since the report before.
 */
import { randomBytes } from 'node:crypto';
import type { FleetPlan, FleetReport } from './fleet-plan.ts';
import { SimulatedCollector } from './simulated-collector.ts';

const CONNECTIONS_PER_ADDRESS = 1_000;
const LINE = `${'2026-11-28T10:00:00Z info a request of the fleet was served in 12 ms'.padEnd(119, '.')}\n`;
const TICK_MS = 20;

const plan = JSON.parse(process.argv[2] ?? '{}') as FleetPlan;
const report = { served: 0, accepted: 0, sent: 0, unsent: 0 };

const collectors = Array.from(
  { length: plan.collectors },
  (_, at) =>
    new SimulatedCollector({
      address: plan.address,
      localAddress: `127.0.${plan.number}.${1 + Math.floor(at / CONNECTIONS_PER_ADDRESS)}`,
      collectorId: randomBytes(16),
      streams: plan.streams,
      lines: Array.from({ length: plan.linesPerBatch }, () => LINE),
      onServed: () => {
        report.served++;
      },
      onAccepted: (batches) => {
        report.accepted += batches;
      },
    }),
);

// A fleet does not start within a millisecond.
for (const [at, collector] of collectors.entries())
  setTimeout(() => collector.connect(), (at / collectors.length) * plan.connectWithinMs);

let due = 0;
let next = 0;
const sending = setInterval(() => {
  due += (plan.batchesPerSecond * TICK_MS) / 1000;
  for (; due >= 1; due--) {
    if (collectors[next++ % collectors.length]?.sendBatch()) report.sent++;
    else report.unsent++;
  }
}, TICK_MS);

const reporting = setInterval(() => {
  const line: FleetReport = { ...report };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  Object.assign(report, { served: 0, accepted: 0, sent: 0, unsent: 0 });
}, 1000);

process.once('SIGTERM', () => {
  clearInterval(sending);
  clearInterval(reporting);
  for (const collector of collectors) collector.stop();
  process.exit(0);
});
