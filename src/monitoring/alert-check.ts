import { join, type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from '../logstore/sql/sql-row.ts';
import type { AlertDefinition, AlertState } from './alert-definition.ts';
import { isReportedChange, nextState, type Observation, type SegmentState } from './alert-state.ts';
import {
  alertWindow,
  MAX_WINDOW_SEGMENTS,
  observationOf,
  observedSql,
  observedWithoutRecords,
} from './alert-window.ts';
import type { StoredAlert } from './definitions.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import type { Span } from './spans.ts';

/**
 * Checks one alert: reads its states and the observations, decides (`alert-state.ts`), and writes the changes
 * in one transaction. All state is in the store, so a restart or another evaluator continues where this one
 * stopped.
 */
export class AlertCheck {
  readonly definition: AlertDefinition;
  readonly #stored: StoredAlert;
  readonly #database: MonitorDatabase;

  constructor(stored: StoredAlert, definition: AlertDefinition, database: MonitorDatabase) {
    this.definition = definition;
    this.#stored = stored;
    this.#database = database;
  }

  /**
   * `lost`: another aggregator holds the lease; undefined: there are no buckets yet, or the alert was deleted. Rejects
   * with SqlError.
   */
  async check({
    definition: metric,
    computed,
    points,
  }: CheckedMetric): Promise<CheckResult | 'lost' | undefined> {
    const { definition } = this;
    const window = computed && alertWindow(definition, metric, computed);
    if (window === undefined) return undefined;
    const { dialect } = this.#database;
    const [stateRows = [], observed = []] = await this.#database.read([
      selectStates(dialect, sql`alert = ${definition.id}::text`),
      observedSql(dialect, definition, { metric, points, window }),
    ]);
    const now = this.#database.nowUnixMicro;
    const before = new Map(stateRows.map((row) => [textOrNull(row, 'segment'), segmentState(row)]));
    const observations = completed(observed.map(observationOf), {
      known: [...before.keys()],
      hasSegments: metric.segment !== undefined,
      ofNothing: observedWithoutRecords(definition, metric, window),
    });
    const { states, changes } = decideStates(definition, before, observations, now);
    const isDue = stateRows.some((row) => now - numberOf(row, 'checked_at') >= WRITE_EVERY_MICRO);
    const isSame = changes.length === 0 && areSame(before, states);
    if (isSame && !isDue) return { states, changes };
    const written = await this.#database.writeAsHolder([
      ...this.#statements(states, changes, now),
      sql`select 1 as one where ${this.#isThere}`,
    ]);
    if (written === undefined) return 'lost';
    return written.at(-1)?.length === 1 ? { states, changes } : undefined;
  }

  #statements(states: readonly SegmentState[], changes: readonly AlertChange[], now: number): readonly Sql[] {
    const { isHeld } = this.#database;
    const { id, level, comparison } = this.definition;
    const time = (unixMicro: number | null) => this.#database.time(unixMicro);
    const statements = [sql`delete from alert_states where alert = ${id}::text and ${isHeld}`];
    if (states.length > 0) {
      const rows = states.map(
        (each) => sql`(${each.segment}::text, ${each.state}::text, ${time(each.sinceUnixMicro)},
          ${each.observed}::float8, ${time(each.pendingSinceUnixMicro)}, ${time(each.seenUnixMicro)})`,
      );
      statements.push(sql`
        insert into alert_states (alert, segment, state, since, observed, pending_since, seen_at, checked_at)
        select ${id}::text, segment, state, since, observed, pending_since, seen_at, ${time(now)}
        from (values ${join(rows, sql`, `)}) as new (segment, state, since, observed, pending_since, seen_at)
        where ${isHeld} and ${this.#isThere}`);
    }
    if (changes.length > 0) {
      const rows = changes.map(
        (each) =>
          sql`(${each.segment}::text, ${each.from}::text, ${each.to}::text, ${each.observed}::float8)`,
      );
      statements.push(sql`
        insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison)
        select ${id}::text, segment, ${time(now)}, from_state, to_state, observed, ${level}::float8, ${comparison}::text
        from (values ${join(rows, sql`, `)}) as new (segment, from_state, to_state, observed)
        where ${isHeld} and ${this.#isThere}`);
    }
    return statements;
  }

  /** The alert was neither deleted nor replaced by another with this name. */
  get #isThere(): Sql {
    const createdAt = this.#database.time(this.#stored.createdAtUnixMicro);
    return sql`exists (select 1 from alerts where id = ${this.definition.id}::text and created_at = ${createdAt})`;
  }
}

export interface CheckedMetric {
  readonly definition: MetricDefinition;
  /** The complete buckets. */
  readonly computed: Span | undefined;
  /** The points as a table, see `point-source.ts`. */
  readonly points: Sql;
}

/** The states after a check, and the reported changes. */
export function decideStates(
  definition: AlertDefinition,
  before: ReadonlyMap<string | null, SegmentState>,
  observations: readonly Known[],
  now: number,
): CheckResult {
  const states: SegmentState[] = [];
  const changes: AlertChange[] = [];
  const forgottenAfter = Math.max(FORGOTTEN_AFTER_MICRO, definition.windowSeconds * 1_000_000);
  for (const { isSeen, isKept, ...observation } of observations) {
    const last = before.get(observation.segment);
    const next = nextState(definition, last, observation, now);
    const seenUnixMicro = isSeen ? now : (last?.seenUnixMicro ?? now);
    const isForgotten = !isSeen && !isKept && now - seenUnixMicro >= forgottenAfter;
    if (!isForgotten) states.push({ ...next, seenUnixMicro });
    // A segment that fires is kept until its end is reported.
    const to = isForgotten && last?.state === 'firing' ? 'no-data' : next.state;
    const isTold = isForgotten ? last?.state === 'firing' : isReportedChange(last, next);
    const { segment, observed } = next;
    if (isTold) changes.push({ segment, from: last?.state ?? 'ok', to, observed });
  }
  return { states: states.slice(0, MAX_WINDOW_SEGMENTS), changes };
}

/** A segment without an observation for this time (or for its window, if that is longer) is removed. */
const FORGOTTEN_AFTER_MICRO = 86_400_000_000;
/** Maximum age of `checked_at` and `observed` while no state changes. */
const WRITE_EVERY_MICRO = 10_000_000;

export interface AlertChange {
  readonly segment: string | null;
  readonly from: AlertState;
  readonly to: AlertState;
  readonly observed: number | null;
}

export interface CheckResult {
  readonly changes: readonly AlertChange[];
  readonly states: readonly SegmentState[];
}

export function selectStates(dialect: SqlDialect, condition: Sql): Sql {
  return sql`select alert, segment, state, ${dialect.unixMicro(sql`since`)} as since, observed,
      ${dialect.unixMicro(sql`pending_since`)} as pending_since, ${dialect.unixMicro(sql`seen_at`)} as seen_at,
      ${dialect.unixMicro(sql`checked_at`)} as checked_at
    from alert_states where ${condition} order by alert, segment`;
}

export function segmentState(row: SqlRow): SegmentState {
  return {
    segment: textOrNull(row, 'segment'),
    state: textOf(row, 'state') as AlertState,
    sinceUnixMicro: numberOf(row, 'since'),
    observed: numberOrNull(row, 'observed'),
    pendingSinceUnixMicro: numberOrNull(row, 'pending_since'),
    seenUnixMicro: numberOrNull(row, 'seen_at'),
  };
}

export interface Known extends Observation {
  /** The segment has records in the window. */
  readonly isSeen: boolean;
  /** Never removed: a metric without segments has only this one. */
  readonly isKept: boolean;
}

/** Adds the known segments without a record in the window. */
export function completed(
  observations: readonly Observation[],
  {
    known,
    hasSegments,
    ofNothing,
  }: { known: readonly (string | null)[]; hasSegments: boolean; ofNothing: number | null },
): readonly Known[] {
  const seen = new Set(observations.map(({ segment }) => segment));
  const expected = hasSegments ? known : [null];
  const absent = expected.filter((segment) => !seen.has(segment));
  return [
    ...observations.map((observation) => ({ ...observation, isSeen: true, isKept: true })),
    ...absent.map((segment) => ({ segment, observed: ofNothing, isSeen: false, isKept: !hasSegments })),
  ];
}

/** Compares everything except the time of the last observation. */
function areSame(before: ReadonlyMap<string | null, SegmentState>, states: readonly SegmentState[]): boolean {
  return (
    before.size === states.length &&
    states.every((state) => {
      const last = before.get(state.segment);
      return (
        last?.state === state.state &&
        last.observed === state.observed &&
        last.pendingSinceUnixMicro === state.pendingSinceUnixMicro
      );
    })
  );
}
