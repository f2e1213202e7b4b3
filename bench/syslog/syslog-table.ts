import { median } from '../statistics.ts';
import { table } from '../table.ts';
import type { SyslogRun } from './measure-syslog.ts';

/** The medians of each course and receiver. */
export function syslogTable(runs: readonly SyslogRun[]): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  const names = [...new Set(runs.map(({ course, receiver }) => `${course}\0${receiver}`))];
  const rows = names.map((name) => {
    const [course = '', receiver = ''] = name.split('\0');
    const own = runs.filter((run) => run.course === course && run.receiver === receiver);
    const batches = own.flatMap(({ batchMessages }) => (batchMessages === undefined ? [] : [batchMessages]));
    return [
      course,
      receiver,
      whole(median(own.map(({ messagesPerSecond }) => messagesPerSecond))),
      whole(own.reduce((sum, { lost }) => sum + lost, 0)),
      median(own.map(({ cpu }) => cpu)).toFixed(1),
      batches.length === 0 ? '-' : whole(median(batches)),
    ];
  });
  return table(['', 'receiver', 'messages/s', 'lost', 'CPU, s/million', 'messages a batch'], rows);
}

/** The median rate; NaN without a run. */
export function syslogRate(runs: readonly SyslogRun[], course: string, receiver: string): number {
  const own = runs.filter((run) => run.course === course && run.receiver === receiver);
  return median(own.map(({ messagesPerSecond }) => messagesPerSecond));
}
