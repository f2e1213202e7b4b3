import type { TopStreamsKey } from '../../collector/collector-reports.ts';
import type { Clock } from '../../runtime/clock.ts';
import { CommandError } from '../command-error.ts';
import type { Terminal } from '../monitor/terminal/terminal.ts';
import { jsonText } from '../output/json-text.ts';
import { topFrame } from './top-frame.ts';
import type { TopObserver } from './top-observer.ts';
import { collectorRate, emitterRate, intakeRate } from './top-rates.ts';
import type { TopView } from './top-reading.ts';

export interface SampleOptions {
  readonly observers: readonly TopObserver[];
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly limit: number;
  readonly key: TopStreamsKey;
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/** Reads twice, for rates, and prints the second reading. Throws CommandError if no process answers. */
export async function printSample(options: SampleOptions, signal: AbortSignal): Promise<void> {
  const { observers, terminal, clock, intervalMs, json, write, ...query } = options;
  const observe = () => Promise.all(observers.map((observer) => observer.observe(query)));
  await observe();
  const isAnswered = observers.some(({ view }) => view.away === undefined);
  if (isAnswered) {
    await clock.sleep(intervalMs, signal);
    await observe();
  }
  const views = observers.map(({ view }) => view);
  if (views.every(({ away }) => away !== undefined)) throw new CommandError(noneText(views));
  write(json ? views.map((view) => `${jsonText(sampleOf(view))}\n`).join('') : topFrame(views, { terminal }));
}

function noneText(views: readonly TopView[]): string {
  const reasons = views.map(({ target, away }) => `\n  ${target.role} ${target.place}: ${away}`);
  return `No process answers. Start one, or name another with --state-directory or --url.${reasons.join('')}`;
}

function sampleOf(view: TopView): object {
  const { target, newest, away } = view;
  const place = { role: target.role, place: target.place, running: away === undefined };
  if (newest === undefined) return { ...place, ...(away !== undefined && { reason: away }) };
  if (newest.role === 'collector') {
    const { top = [], ...status } = newest.status;
    return { ...place, ...collectorRate(newest, view), ...status, streams: top };
  }
  const { emitters, ...status } = newest.status;
  return {
    ...place,
    ...intakeRate(newest, view),
    ...status,
    emitters: emitters.map((each) => ({ ...each, ...emitterRate(each, view) })),
    collectors: newest.collectors,
    streams: newest.streams,
  };
}
