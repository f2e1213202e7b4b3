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
  if (lines.length === 0) return '';
  return `\n${lines.map((line) => formatParagraph(printable(line), width, 2)).join('')}`;
}

type Part<Name extends keyof AggregatorStatus> = NonNullable<AggregatorStatus[Name]>;

function intakeText({ recordsPerSecond, bytesPerSecond, collectors, streams }: Part<'intake'>): string {
  const rate = `${rateText(recordsPerSecond)} (${formatByteSize(Math.round(bytesPerSecond))}/s)`;
  return `receiving ${rate}; connected collectors: ${count(collectors)}; streams since the start: ${count(streams)}`;
}

function diskText({ usedBytes, limitBytes, freeBytes }: Part<'disk'>): string {
  const free = freeBytes === null ? '' : `; ${formatByteSize(freeBytes)} are free on the disk`;
  return `the queue uses ${formatByteSize(usedBytes)} of ${formatByteSize(limitBytes)}${free}`;
}

/** An emitter without state is one that is not configured. */
function emitterText(report: EmitterBalanceReport): readonly string[] {
  const { emitter, state, lagSeconds = 0, recordsPerSecond = 0, catchUpSeconds, problem, queued } = report;
  if (state === undefined) return [];
  const rate = rateText(recordsPerSecond);
  const lag =
    queued.records > 0 ? `, ${durationText(Math.round(lagSeconds))} late, ${endText(catchUpSeconds)}` : '';
  return [`${emitter}: ${state}, ${rate}${lag}${problem === undefined ? '' : `: ${problem}`}`];
}

/** A slow rate is not none. */
function rateText(perSecond: number): string {
  return `${perSecond < 10 ? String(perSecond) : count(Math.round(perSecond))} records/s`;
}

function endText(catchUpSeconds: number | undefined): string {
  if (catchUpSeconds === undefined) return 'its queue does not get shorter';
  return `caught up in ${durationText(catchUpSeconds)}`;
}
