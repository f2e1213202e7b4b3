import { describeEnd } from '../chaos-report.ts';
import type { OwnEnd } from '../supervised.ts';
import { WINDOW } from './rsyslog-sender.ts';
import type { SyslogAudit } from './syslog-audit.ts';

/** A run of loggen that could send everything. */
export interface LoggenRun {
  readonly messages: number;
  /** loggen or the collector was killed during the run. */
  readonly isDisturbed: boolean;
}

export interface SyslogChaosReport {
  readonly seed: number;
  readonly rounds: number;
  readonly hasIdentity: boolean;
  readonly events: ReadonlyMap<string, number>;
  /** Number of messages that rsyslog had to send: 0, 1, ... */
  readonly written: number;
  readonly witness: {
    readonly sent: ReadonlySet<number>;
    readonly answered: ReadonlySet<number>;
    readonly resent: number;
    readonly refused: number;
    readonly sessions: number;
  };
  readonly rsyslogKills: number;
  readonly loggenRuns: readonly LoggenRun[];
  readonly audit: SyslogAudit;
  /** Whether the last message arrived before the run ended. */
  readonly isDrained: boolean;
  readonly exits: readonly string[];
  readonly ownEnds: readonly OwnEnd[];
}

/** All violations of the guarantees; empty if there are none. */
export function syslogFailuresOf(report: SyslogChaosReport): string[] {
  const { audit, witness, exits, ownEnds, isDrained, hasIdentity, rsyslogKills } = report;
  const { answered, unanswered } = missingOf(report);
  const sentOnly = unanswered.filter((each) => witness.sent.has(each));
  const doubled = [...audit.unmarked].filter(([, times]) => times > 1).map(([number]) => number);
  const failures = [
    ...someNumbers('messages were answered and are missing', answered),
    ...(rsyslogKills === 0
      ? someNumbers('messages are missing, and rsyslog was not killed', unanswered)
      : []),
    ...(sentOnly.length > rsyslogKills * WINDOW
      ? someNumbers(`sent messages are missing after ${rsyslogKills} kills of rsyslog`, sentOnly)
      : []),
    ...someNumbers('messages are doubled without a mark', doubled),
    ...audit.foreign.map((record) => `a record is no sent message: ${record}`),
    ...loggenFailures(report),
    ...exits.filter((exit) => exit !== '0').map((exit) => `a process exited with ${exit} after SIGTERM`),
    ...ownEnds.filter(({ excused }) => !excused).map((end) => `unexpected end: ${describeEnd(end)}`),
  ];
  if (hasIdentity && audit.marked > 0) failures.push(`${audit.marked} repeated messages were stored`);
  if (witness.refused > 0) failures.push(`${witness.refused} messages were answered with an error`);
  if (!isDrained) failures.push('the last message of rsyslog did not arrive in time');
  if (audit.relp.size === 0 || audit.loggen.size === 0) failures.push('a sender has sent nothing');
  return failures;
}

export function describeSyslogReport(report: SyslogChaosReport): string {
  const { seed, rounds, events, written, witness, audit, rsyslogKills, loggenRuns } = report;
  const { answered, unanswered } = missingOf(report);
  const failures = syslogFailuresOf(report);
  const received = [...audit.loggen.values()].reduce((sum, numbers) => sum + numbers.length, 0);
  return [
    `seed ${seed}, ${rounds} rounds: ${[...events].map(([name, count]) => `${count} x ${name}`).join('; ')}`,
    `rsyslog   ${written} messages; ${witness.sent.size} sent, ${witness.resent} of them again, in ${witness.sessions} sessions; ` +
      `${witness.answered.size} answered`,
    `stored    ${audit.relp.size} messages over RELP, ${audit.marked} more or instead with a mark; ` +
      `${answered.length} answered ones are missing`,
    `          ${unanswered.length} unanswered ones are missing: rsyslog was killed ${rsyslogKills} times, with them in its memory`,
    `loggen    ${loggenRuns.length} runs over TCP, ${loggenRuns.filter(({ isDisturbed }) => isDisturbed).length} of them disturbed; ` +
      `${received} messages, ${audit.unterminated} parts of a message`,
    ...(failures.length === 0
      ? ['Every answered message was stored; repeated ones are marked.']
      : ['FAILED:', ...failures.map((failure) => `  ${failure}`)]),
  ].join('\n');
}

function missingOf({ written, witness, audit }: SyslogChaosReport): Missing {
  const missing = Array.from({ length: written }, (_, number) => number).filter(
    (each) => !audit.relp.has(each),
  );
  return {
    answered: missing.filter((each) => witness.answered.has(each)),
    unanswered: missing.filter((each) => !witness.answered.has(each)),
  };
}

interface Missing {
  readonly answered: readonly number[];
  readonly unanswered: readonly number[];
}

/** TCP has no answers: a broken connection may lose the end of a run, but nothing inside of it. */
function loggenFailures({ audit, loggenRuns }: SyslogChaosReport): string[] {
  const gaps = [...audit.loggen].filter(([, numbers]) => numbers.some((number, index) => number !== index));
  const complete = loggenRuns.filter(({ isDisturbed }) => !isDisturbed);
  const lengths = [...audit.loggen.values()].map(({ length }) => length);
  const found = lengths.filter((length) => complete.some(({ messages }) => messages === length)).length;
  return [
    ...gaps.map(([run, numbers]) => {
      const at = numbers.findIndex((number, index) => number !== index);
      return `run ${run} of loggen: message ${numbers[at]} where ${at} was due`;
    }),
    ...(found < complete.length
      ? [`${complete.length} runs of loggen were not disturbed, and ${found} are complete`]
      : []),
  ];
}

function someNumbers(what: string, numbers: readonly number[]): string[] {
  if (numbers.length === 0) return [];
  return [`${numbers.length} ${what}: ${numbers.slice(0, 20).join(', ')}`];
}
