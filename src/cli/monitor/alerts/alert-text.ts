import type { AlertEvent, AlertState, AlertStatus } from '../../../monitoring/alert-definition.ts';
import type { AlertAnswer } from '../api/api-answers.ts';
import { segmentText } from '../segment-text.ts';
import { type Cell, formatTable } from '../terminal/format-table.ts';
import { numberText } from '../terminal/number-text.ts';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import type { Style, Terminal } from '../terminal/terminal.ts';
import { durationText, preciseTimeText, timeText } from '../terminal/time-text.ts';

const RIGHT = { right: true } as const;
const FLEXIBLE = { flexible: true } as const;

export const NO_ALERTS =
  'No alerts. To create the default alert: mega-collector monitor metrics create --default\n';

/**
 * The state of an alert, or of a segment, as it is shown: an alert may be pending, and a new one has never
 * been checked.
 */
export type ShownState = AlertState | 'pending' | 'not checked';

const STYLES: Readonly<Record<ShownState, Style>> = {
  firing: 'red',
  pending: 'yellow',
  'no-data': 'magenta',
  ok: 'green',
  'not checked': 'dim',
};

/** The most severe state first. */
const GRAVITY = Object.keys(STYLES) as readonly ShownState[];

export function shownState({ state, pendingSince }: AlertStatus): ShownState {
  return pendingSince !== null && state !== 'firing' ? 'pending' : state;
}

export function stateCell(state: ShownState, text: string = state): Cell {
  return { text, style: STYLES[state] };
}

/** `avg(total_traffic) > 10 over 2m` */
export function conditionOf({ definition }: AlertAnswer): string {
  const { statistic, metric, comparison, level, windowSeconds } = definition;
  const compared = `${statistic}(${metric}) ${comparison} ${numberText(level)}`;
  return sanitizeForTerminal(`${compared} over ${durationText(windowSeconds)}`);
}

export function alertListText(alerts: readonly AlertAnswer[], terminal: Terminal): string {
  if (alerts.length === 0) return NO_ALERTS;
  const rows = alerts.map((alert): readonly Cell[] => {
    const states = alert.states.map(shownState);
    const gravest = GRAVITY.find((each) => states.includes(each)) ?? 'not checked';
    const count = states.filter((each) => each === gravest).length;
    const of = states.length > 1 ? `${gravest} (${count} of ${states.length})` : gravest;
    return [
      sanitizeForTerminal(alert.definition.id),
      stateCell(gravest, of),
      conditionOf(alert),
      lastCheck(alert, terminal),
    ];
  });
  const columns = [
    { title: 'alert' },
    { title: 'state' },
    { title: 'condition', ...FLEXIBLE },
    { title: 'checked' },
  ];
  return (
    formatTable(columns, rows, terminal) + silencesText(alerts, terminal) + problemsText(alerts, terminal)
  );
}

/**
 * A line for each alert that cannot be checked: its states are those of the last check. Empty if there is
 * none.
 */
export function problemsText(alerts: readonly AlertAnswer[], terminal: Terminal): string {
  return alerts
    .flatMap(({ definition, problem }) => {
      if (problem === undefined) return [];
      const since = timeText(problem.since, terminal);
      const sentence = `${sanitizeForTerminal(definition.id)} cannot be checked since ${since}: ${sanitizeForTerminal(problem.reason)}`;
      return [`${terminal.paint(sentence, 'yellow')}\n`];
    })
    .join('');
}

/** A line for each alert that is silenced: it pages nothing. Empty if there is none. */
export function silencesText(alerts: readonly AlertAnswer[], terminal: Terminal): string {
  return alerts
    .flatMap(({ definition, silence }) => {
      if (silence === undefined) return [];
      const by = silence.by === '' ? '' : ` by ${silence.by}`;
      const reason = silence.reason === '' ? '' : `: ${silence.reason}`;
      const until = timeText(silence.until, terminal);
      return [sanitizeForTerminal(`${definition.id} is silenced until ${until}${by}${reason}`)];
    })
    .map((sentence) => `${terminal.paint(sentence, 'dim')}\n`)
    .join('');
}

export function problemRows({ problem }: AlertAnswer): readonly (readonly [string, string])[] {
  return problem === undefined ? [] : [['problem', sanitizeForTerminal(problem.reason)]];
}

function lastCheck({ states }: AlertAnswer, terminal: Terminal): string {
  const newest = states
    .map(({ checkedAt }) => checkedAt)
    .sort()
    .at(-1);
  return newest === undefined ? '-' : timeText(newest, terminal);
}

export function statesText({ states }: AlertAnswer, terminal: Terminal): string {
  if (states.length === 0) return 'Not checked yet.\n';
  const isSegmented = states.some(({ segment }) => segment !== null);
  const rows = states.map((status): readonly Cell[] => [
    ...(isSegmented ? [segmentText(status.segment)] : []),
    stateCell(shownState(status)),
    timeText(status.since, terminal),
    numberText(status.observed),
    timeText(status.checkedAt, terminal),
  ]);
  const columns = [
    ...(isSegmented ? [{ title: 'segment', ...FLEXIBLE }] : []),
    { title: 'state' },
    { title: 'since' },
    { title: 'observed', ...RIGHT },
    { title: 'checked' },
  ];
  return formatTable(columns, rows, terminal);
}

/** One line for each change, newest first. */
export function historyText(events: readonly AlertEvent[], terminal: Terminal): string {
  const { paint } = terminal;
  return events
    .map(({ at, segment, from, to, observed, comparison, level }) => {
      const where = segment === null ? '' : `${segmentText(segment)} `;
      const change = `${from} -> ${paint(to, STYLES[to])}`;
      return `${preciseTimeText(at, terminal)} ${where}${change}, observed ${numberText(observed)} (${comparison} ${numberText(level)})\n`;
    })
    .join('');
}
