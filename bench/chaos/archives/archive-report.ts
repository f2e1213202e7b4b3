import { describeEnd } from '../chaos-report.ts';
import type { Audit } from '../line-audit.ts';
import type { OwnEnd } from '../supervised.ts';

export interface ArchiveChaosReport {
  readonly seed: number;
  readonly rounds: number;
  readonly events: ReadonlyMap<string, number>;
  readonly written: readonly { readonly name: string; readonly lines: number }[];
  readonly rotations: number;
  readonly archives: number;
  /** Records of several partial lines. */
  readonly joined: number;
  readonly audit: Audit;
  /** As the collector has counted them. */
  readonly lostBytes: number;
  readonly exits: readonly string[];
  readonly ownEnds: readonly OwnEnd[];
}

/** All violations of the guarantees; empty if there are none. */
export function archiveFailuresOf({
  audit,
  joined,
  written,
  lostBytes,
  exits,
  ownEnds,
}: ArchiveChaosReport): string[] {
  const failures = [
    ...(['missing', 'doubled', 'damaged'] as const)
      .filter((what) => audit[what] > 0)
      .map((what) => `${audit[what]} lines ${what}`),
    ...written.filter(({ lines }) => lines === 0).map(({ name }) => `${name}: nothing was written`),
    ...exits.filter((exit) => exit !== '0').map((exit) => `a process exited with ${exit} after SIGTERM`),
    ...ownEnds.filter(({ excused }) => !excused).map((end) => `unexpected end: ${describeEnd(end)}`),
  ];
  if (joined === 0) failures.push('no partial lines were joined');
  if (lostBytes > 0) failures.push(`the collector has counted ${lostBytes} bytes as lost`);
  return failures;
}

export function describeArchiveReport(report: ArchiveChaosReport): string {
  const { seed, rounds, events, written, rotations, archives, audit } = report;
  const failures = archiveFailuresOf(report);
  return [
    `seed ${seed}, ${rounds} rounds: ${[...events].map(([name, count]) => `${count} x ${name}`).join('; ')}`,
    `written   ${written.map(({ name, lines }) => `${name} ${lines}`).join(', ')}`,
    `          ${rotations} rotations, ${archives} generations compressed; ${report.joined} records of several partial lines`,
    `delivered ${audit.lines} lines: ${audit.missing} missing, ${audit.doubled} doubled, ${audit.damaged} damaged, ` +
      `${audit.disordered} out of order`,
    ...(failures.length === 0
      ? ['Every line was delivered once.']
      : ['FAILED:', ...[...failures, ...audit.examples].map((failure) => `  ${failure}`)]),
  ].join('\n');
}
