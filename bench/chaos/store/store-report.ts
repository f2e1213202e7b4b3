import type { StreamBalanceReport } from '../../../src/collector/collector-reports.ts';
import type { Amount } from '../../../src/records/amount.ts';
import type { QueueBalance } from '../../../src/storage/queue/queue-contract.ts';
import { balanceFailures, collectorBalanceFailures, describeEnd, linesOf, sum } from '../chaos-report.ts';
import type { WrittenLog } from '../chaos-writer.ts';
import type { OwnEnd } from '../supervised.ts';
import type { StoreAudit } from './store-audit.ts';

export interface StoreReport {
  readonly seed: number;
  readonly rounds: number;
  /** The number of times of each fault, and of each treatment of each victim. */
  readonly events: ReadonlyMap<string, number>;
  readonly written: readonly WrittenLog[];
  readonly rows: StoreAudit;
  /** The lines that the filter drops. */
  readonly dropped: Amount;
  /**
   * The balance of each aggregator, or the reason why there is none. Without `countsAnew`, it must have accepted exactly
   * the written lines.
   */
  readonly balances: readonly (QueueBalance | string)[];
  /** There are several aggregators, or they lose their state. */
  readonly countsAnew: boolean;
  readonly collectorBalance: StreamBalanceReport | string;
  /** Exit codes of the processes after a regular stop: '0'. */
  readonly exits: readonly string[];
  readonly misbehaviour: readonly string[];
  readonly ownEnds: readonly OwnEnd[];
}

/** Returns all violations of the guarantees; empty if there are none. */
export function storeFailuresOf(report: StoreReport): string[] {
  const { rows, written, dropped, balances, collectorBalance, exits, ownEnds } = report;
  const lines = linesOf(written);
  const bytes = sum(written, 'bytes');
  return [
    ...(lines === 0 ? ['no lines were written'] : []),
    ...(rows.lines === lines - dropped.records
      ? []
      : [`${rows.lines} rows for ${lines - dropped.records} lines`]),
    ...(['missing', 'doubled', 'disordered', 'damaged', 'sameIdentity', 'misplaced'] as const)
      .filter((what) => rows[what] > 0)
      .map((what) => `${WORDS[what]}: ${rows[what]}`),
    ...(report.countsAnew
      ? []
      : balances.flatMap((balance) =>
          balanceFailures(balance, { records: lines + rows.cut, bytes }, dropped),
        )),
    ...collectorBalanceFailures(collectorBalance, bytes),
    ...exits.filter((exit) => exit !== '0').map((exit) => `a process exited with ${exit} after SIGTERM`),
    ...report.misbehaviour,
    ...ownEnds.filter(({ excused }) => !excused).map((end) => `${describeEnd(end)}, by itself`),
  ];
}

const WORDS = {
  missing: 'lines missing',
  doubled: 'lines doubled',
  disordered: 'lines out of order',
  damaged: 'rows that are not a line',
  sameIdentity: 'rows with the stream and position of another row',
  misplaced: 'rows that do not begin at the end of the previous row',
} as const;

export function describeStoreReport(report: StoreReport): string {
  const { seed, rounds, events, written, rows, dropped, balances, ownEnds } = report;
  const taken = balances.map((balance) => (typeof balance === 'string' ? balance : balance.accepted.records));
  const failures = storeFailuresOf(report);
  return [
    `seed ${seed}, ${rounds} rounds: ${[...events].map(([name, count]) => `${count} x ${name}`).join('; ')}`,
    `written   ${linesOf(written)} lines, ${sum(written, 'bytes')} bytes, ${sum(written, 'rotations')} rotations`,
    `filtered  ${dropped.records} lines are to be dropped by the filter`,
    `accepted  ${taken.map((records) => `${records} lines`).join(' by one aggregator, by the other ')}`,
    `stored    ${rows.lines} rows: ${rows.missing} missing, ${rows.doubled} doubled, ${rows.disordered} out of order, ` +
      `${rows.damaged} damaged, ${rows.sameIdentity} with the identity of another, ${rows.misplaced} misplaced`,
    `ended by themselves: ${ownEnds.length === 0 ? 'none' : ownEnds.map(describeEnd).join('; ')}`,
    ...(failures.length === 0
      ? ['Every line is in the store once, in order.']
      : ['FAILED:', ...failures.map((failure) => `  ${failure}`), ...examplesOf(report)]),
  ].join('\n');
}

function examplesOf({ rows, ownEnds }: StoreReport): string[] {
  const words = ownEnds
    .filter(({ excused }) => !excused)
    .slice(0, 3)
    .map(({ name, lastWords }) => `${name}, last words:\n${lastWords}`);
  return [...rows.examples, ...words].map((example) => `    ${example}`);
}
