import type { AlertAnswer } from '../api/api-answers.ts';
import { segmentText } from '../segment-text.ts';
import { type Cell, formatTable } from '../terminal/format-table.ts';
import { numberText } from '../terminal/number-text.ts';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { durationText, timeText } from '../terminal/time-text.ts';
import { conditionOf, NO_ALERTS, type ShownState, shownState, stateCell } from './alert-text.ts';

export interface AlertFrame {
  readonly alerts: readonly ObservedAlert[];
  /** A line for each alert that cannot be checked. */
  readonly problems: string;
  readonly nowMs: number;
  readonly refreshSeconds: number;
  /** Why the aggregator does not answer; the shown data is old then. undefined: it answers. */
  readonly away: string | undefined;
}

/** One row: an alert, or a segment of an alert. */
export interface ObservedAlert {
  /** Unique. */
  readonly key: string;
  readonly alert: string;
  readonly segment: string | null;
  readonly state: ShownState;
  readonly since: string | null;
  readonly observed: number | null;
  readonly condition: string;
}

export function observedAlerts(alerts: readonly AlertAnswer[]): readonly ObservedAlert[] {
  return alerts.flatMap((alert): readonly ObservedAlert[] => {
    const { id } = alert.definition;
    const condition = conditionOf(alert);
    if (alert.states.length === 0) {
      return [
        { key: id, alert: id, segment: null, state: 'not checked', since: null, observed: null, condition },
      ];
    }
    return alert.states.map((status) => ({
      // An alert without segments has the same key before and after its first check.
      key: status.segment === null ? id : JSON.stringify([id, status.segment]),
      alert: id,
      segment: status.segment,
      state: shownState(status),
      since: status.since,
      observed: status.observed,
      condition,
    }));
  });
}

/** `per_route[api]` */
export function alertName({ alert, segment }: Pick<ObservedAlert, 'alert' | 'segment'>): string {
  return segment === null
    ? sanitizeForTerminal(alert)
    : `${sanitizeForTerminal(alert)}[${segmentText(segment)}]`;
}

/** The text on the terminal until the next refresh. */
export function alertFrame(
  { alerts, problems, nowMs, refreshSeconds, away }: AlertFrame,
  terminal: Terminal,
): string {
  const { paint } = terminal;
  const firing = alerts.filter(({ state }) => state === 'firing').length;
  const time = timeText(new Date(Math.floor(nowMs / 1000) * 1000).toISOString(), terminal);
  const summary = firing > 0 ? paint(`${firing} firing`, 'bold', 'red') : 'none firing';
  const heading = `${time}  ${summary}, refreshed every ${durationText(refreshSeconds)}; press Ctrl-C to exit\n`;
  const notice =
    away === undefined ? '' : `${paint(`Not reachable, retrying: ${firstLine(away)}`, 'yellow')}\n`;
  if (alerts.length === 0) return heading + notice + (away === undefined ? NO_ALERTS : '');
  const rows = alerts.map((alert): readonly Cell[] => [
    alertName(alert),
    stateCell(alert.state),
    alert.since === null ? '-' : durationText((nowMs - Date.parse(alert.since)) / 1000),
    numberText(alert.observed),
    alert.condition,
  ]);
  const columns = [
    { title: 'alert', flexible: true as const },
    { title: 'state' },
    { title: 'for', right: true as const },
    { title: 'observed', right: true as const },
    { title: 'condition', flexible: true as const },
  ];
  return `${heading}${notice}\n${formatTable(columns, rows, terminal)}${problems}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
