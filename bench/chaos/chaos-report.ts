import type { StreamBalanceReport } from '../../src/collector/collector-reports.ts';
import { type Amount, minus } from '../../src/records/amount.ts';
import type { QueueBalance } from '../../src/storage/queue/queue-contract.ts';
import type { WrittenLog } from './chaos-writer.ts';
import type { ClonesReport } from './collector-clones.ts';
import type { Audit } from './line-audit.ts';
import type { PagerCounts } from './pager-endpoint.ts';
import type { OwnEnd } from './supervised.ts';

export interface ChaosReport {
  readonly seed: number;
  readonly rounds: number;
  /** The number of times of each fault. */
  readonly faults: ReadonlyMap<string, number>;
  /** Those of clones included. */
  readonly written: readonly WrittenLog[];
  /** undefined: no clones in this run. */
  readonly clones: ClonesReport | undefined;
  readonly file: Audit;
  /** The lines that the filter drops. */
  readonly dropped: Amount;
  readonly stdout: Audit;
  /** A text: the reason why there is no balance. */
  readonly balance: QueueBalance | string;
  /** The balance of the collector, or the reason why there is none. */
  readonly collectorBalance: StreamBalanceReport | string;
  /** Exit codes of collector and aggregator after a regular stop: '0'. */
  readonly exits: readonly string[];
  readonly ownEnds: readonly OwnEnd[];
  readonly pager: PagerCounts | undefined;
  /** The number of rounds in which the file output failed, which PagerDuty must be notified of. */
  readonly undeliverableRounds: number;
}

/** A kill may come before the last retry fails, but not in this number of rounds. */
const ROUNDS_THAT_PAGE = 5;

/** Returns all violations of the guarantees; empty if there are none. */
export function failuresOf(report: ChaosReport): string[] {
  const { file, stdout, dropped, balance, collectorBalance, exits, ownEnds, pager, written } = report;
  const lines = linesOf(written);
  const bytes = sum(written, 'bytes');
  const failures = [
    ...(['missing', 'doubled', 'disordered', 'damaged'] as const)
      .filter((what) => file[what] > 0)
      .map((what) => `file: ${file[what]} lines ${what}`),
    ...(['missing', 'disordered', 'damaged'] as const)
      .filter((what) => stdout[what] > 0)
      .map((what) => `stdout: ${stdout[what]} lines ${what}`),
    ...(file.lines === lines - dropped.records
      ? []
      : [`file: ${file.lines} lines where ${lines} were written and ${dropped.records} dropped`]),
    ...balanceFailures(balance, { records: lines + file.cut, bytes }, dropped),
    ...collectorBalanceFailures(collectorBalance, sum(written.filter(isOwn), 'bytes')),
    ...clonesFailures(report.clones),
    ...exits.filter((exit) => exit !== '0').map((exit) => `a process exited with ${exit} after SIGTERM`),
    ...ownEnds
      .filter(({ excused }) => !excused)
      .map(
        ({ name, exit, fault }) => `the ${name} ended by itself (${exit.signal ?? exit.code}) while ${fault}`,
      ),
    ...(pager?.malformed ?? []).map((problem) => `PagerDuty got a malformed event: ${problem}`),
  ];
  if (lines === 0) failures.push('no lines were written');
  if (pager?.requests === 0 && report.undeliverableRounds >= ROUNDS_THAT_PAGE) {
    failures.push(`PagerDuty got no event for ${report.undeliverableRounds} rounds without delivery`);
  }
  return failures;
}

export function describeReport(report: ChaosReport): string {
  const { seed, rounds, faults, written, file, stdout, dropped, ownEnds, pager } = report;
  const audit = ({ lines, missing, doubled, disordered, damaged }: Audit) =>
    `${lines} lines: ${missing} missing, ${doubled} doubled, ${disordered} out of order, ${damaged} damaged`;
  const failures = failuresOf(report);
  return [
    `seed ${seed}, ${rounds} rounds: ${[...faults].map(([name, count]) => `${count} x ${name}`).join('; ')}`,
    `written   ${linesOf(written)} lines, ${sum(written, 'bytes')} bytes, ${sum(written, 'rotations')} rotations`,
    `filtered  ${dropped.records} lines are to be dropped by the filter`,
    `file      ${audit(file)}`,
    `stdout    ${audit(stdout)} (at least once is promised)`,
    describeClones(report.clones),
    `ended by themselves: ${ownEnds.length === 0 ? 'none' : ownEnds.map(describeEnd).join('; ')}`,
    pager === undefined
      ? 'PagerDuty was skipped'
      : `PagerDuty got ${pager.requests} requests: ${pager.triggers} triggers, ${pager.resolves} resolves`,
    ...(failures.length === 0
      ? ['Every line was delivered once, in order.']
      : ['FAILED:', ...failures.map((failure) => `  ${failure}`), ...examplesOf(report)]),
  ].join('\n');
}

function examplesOf({ file, stdout, ownEnds }: ChaosReport): string[] {
  const bad = stdout.missing + stdout.disordered + stdout.damaged > 0 ? stdout.examples : [];
  const words = ownEnds
    .filter(({ excused }) => !excused)
    .slice(0, 3)
    .map(({ name, lastWords }) => `${name}, last words:\n${lastWords}`);
  return [...file.examples, ...bad, ...words].map((example) => `    ${example}`);
}

export function describeEnd({ name, exit, fault }: OwnEnd): string {
  return `${name} (${exit.signal ?? exit.code}) while ${fault}`;
}

function clonesFailures(clones: ClonesReport | undefined): string[] {
  if (clones === undefined) return [];
  const { started, reportedLines, unfinished } = clones;
  const failures =
    unfinished === 0 ? [] : [`clones: ${unfinished} of ${started} did not send all lines in time`];
  if (started > 0 && reportedLines === 0)
    failures.push('clones: two collectors ran with one identity, and no log reports it');
  return failures;
}

function describeClones(clones: ClonesReport | undefined): string {
  if (clones === undefined) return 'clones    left out';
  return `clones    ${clones.started} ran beside the collector; ${clones.reportedLines} log lines report that`;
}

/** `written`: all lines; `dropped`: those of them that the filter drops. */
export function balanceFailures(balance: QueueBalance | string, written: Amount, dropped: Amount): string[] {
  if (typeof balance === 'string') return [`no balance: ${balance}`];
  const { accepted, emitters } = balance;
  const amounts = [
    { name: 'accepted', amount: accepted, due: written },
    ...emitters.flatMap(({ emitter, delivered, filtered }) => [
      { name: `delivered to ${emitter}`, amount: delivered, due: minus(written, dropped) },
      { name: `filtered for ${emitter}`, amount: filtered, due: dropped },
    ]),
  ];
  return amounts
    .filter(({ amount, due }) => amount.records !== due.records || amount.bytes !== due.bytes)
    .map(
      ({ name, amount, due }) =>
        `balance: ${name} is ${amount.records} records, ${amount.bytes} bytes; ` +
        `expected were ${due.records} lines, ${due.bytes} bytes`,
    );
}

export function collectorBalanceFailures(balance: StreamBalanceReport | string, bytes: number): string[] {
  if (typeof balance === 'string') return [`no balance of the collector: ${balance}`];
  const { read, accepted, waiting, unread } = balance;
  if (read === bytes && accepted === bytes && waiting === 0 && unread === 0) return [];
  return [
    `balance: of ${bytes} bytes that were written the collector has read ${read}; ${accepted} are accepted, ` +
      `${waiting} wait, ${unread} are unread`,
  ];
}

/** Numbered lines and lines that are equal in all generations. */
export function linesOf(written: readonly WrittenLog[]): number {
  return written.reduce((total, { lines, frames }) => total + lines + frames, 0);
}

/** A clone reads its own logs, which begin where it was cloned. The balance is that of the collector. */
function isOwn({ first }: WrittenLog): boolean {
  return first === undefined;
}

export function sum(written: readonly WrittenLog[], what: 'bytes' | 'rotations'): number {
  return written.reduce((total, log) => total + log[what], 0);
}
