import type { AggregatorStatus, EmitterBalanceReport } from '../aggregator/api/operations/queue-reports.ts';
import { formatByteSize } from '../runtime/configuration/byte-size.ts';
import { durationText } from './monitor/terminal/time-text.ts';
import { count, printable } from './output/text-table.ts';
import { formatParagraph } from './output/wrap-text.ts';

/** The parts of a status that a running aggregator adds: rates, emitters that need attention, problems. */
export function liveText(status: AggregatorStatus, width: number | undefined): string {
  const { intake, disk, health, pagerduty, emitters } = status;
  const lines = [
    ...(intake === undefined ? [] : [intakeText(intake)]),
    ...(disk === undefined ? [] : [diskText(disk)]),
    ...emitters.flatMap(emitterText),
    ...(health?.problems ?? []),
    ...(pagerduty?.openIncidents ?? []).map(
      ({ key, summary, since }) => `Incident ${key}, since ${since}: ${summary}`,
    ),
    ...(pagerduty?.lastError == null ? [] : [`Cannot send to PagerDuty: ${pagerduty.lastError}`]),
  ];
  return lines.map((line) => `\n${formatParagraph(printable(line), width, 2)}`).join('');
}

type Part<Name extends keyof AggregatorStatus> = NonNullable<AggregatorStatus[Name]>;

function intakeText({ recordsPerSecond, bytesPerSecond, collectors, streams }: Part<'intake'>): string {
  const rate = `${count(Math.round(recordsPerSecond))} records/s (${formatByteSize(Math.round(bytesPerSecond))}/s)`;
  return `receiving ${rate} from ${count(collectors)} connected collectors; ${count(streams)} streams since the start`;
}

function diskText({ usedBytes, limitBytes, freeBytes }: Part<'disk'>): string {
  const free = freeBytes === null ? '' : `; ${formatByteSize(freeBytes)} are free on the disk`;
  return `the queue uses ${formatByteSize(usedBytes)} of ${formatByteSize(limitBytes)}${free}`;
}

/** An emitter without state is one that is not configured. */
function emitterText(report: EmitterBalanceReport): readonly string[] {
  const { emitter, state, lagSeconds = 0, recordsPerSecond = 0, catchUpSeconds, problem, queued } = report;
  if (state === undefined) return [];
  const rate = `${count(Math.round(recordsPerSecond))} records/s`;
  const lag =
    queued.records > 0 ? `, ${durationText(Math.round(lagSeconds))} late, ${endText(catchUpSeconds)}` : '';
  return [`${emitter}: ${state}, ${rate}${lag}${problem === undefined ? '' : `: ${problem}`}`];
}

function endText(catchUpSeconds: number | undefined): string {
  if (catchUpSeconds === undefined) return 'its queue does not get shorter';
  return `caught up in ${durationText(catchUpSeconds)}`;
}
