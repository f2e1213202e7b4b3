import { sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import { textOf, textOrNull } from '../logstore/sql/sql-row.ts';
import { type CheckResult, selectStates } from './alert-check.ts';
import type { AlertDefinition } from './alert-definition.ts';
import type { AlertPage, AlertPager } from './alert-pager.ts';
import { selectAlerts, storedAlert } from './definitions.ts';
import type { MonitorEvents } from './events.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/**
 * Keeps the open pages consistent with the states in the store: compares both whenever one of them may have
 * changed. The reason for a difference does not matter: a restart, another evaluator, an alert that was
 * deleted at another aggregator.
 *
 * Only the evaluator opens pages. Every aggregator closes its own pages that do not fire any more. A new
 * evaluator also closes pages of alerts that stopped firing recently, because the one before may have
 * terminated without closing them.
 */
export class OpenAlertPages {
  readonly #pager: AlertPager;
  readonly #database: MonitorDatabase;
  readonly #events: MonitorEvents;

  constructor(pager: AlertPager, database: MonitorDatabase, events: MonitorEvents) {
    this.#pager = pager;
    this.#database = database;
    this.#events = events;
  }

  /** Called after a check. A page that has stopped firing may have been opened by the previous evaluator. */
  checked(
    definition: AlertDefinition,
    { states, changes, isSilenced }: CheckResult & { readonly isSilenced: boolean },
  ): void {
    const firing = definition.notify ? states.filter(({ state }) => state === 'firing') : [];
    const paged = firing.toSorted((a, b) => a.sinceUnixMicro - b.sinceUnixMicro).slice(0, MAX_PAGES);
    if (paged.length < firing.length)
      this.#events.pagesLeftOut({ alert: definition.id, segments: firing.length });
    const open = this.#pager.open().filter(({ alert }) => alert === definition.id);
    const wanted = new Set(paged.map(({ segment }) => segment));
    const shown = new Set(open.map(({ segment }) => segment));
    for (const page of open) if (!wanted.has(page.segment)) this.#pager.resolved(page);
    const ended = changes.filter(({ from, segment }) => from === 'firing' && !shown.has(segment));
    if (definition.notify)
      this.#resolveElsewhere(ended.map(({ segment }) => ({ alert: definition.id, segment })));
    // Open pages stay open: they are resolved as usual.
    if (isSilenced) return;
    for (const { segment, observed, sinceUnixMicro } of paged) {
      if (shown.has(segment)) continue;
      this.#pager.firing({ alert: definition.id, segment }, { definition, observed, sinceUnixMicro });
    }
  }

  /** Closes pages that do not fire according to the store. */
  async closeStale(): Promise<void> {
    const open = this.#pager.open();
    if (open.length === 0) return;
    const firing = await this.#firing();
    for (const page of open) if (!firing.has(nameOf(page))) this.#pager.resolved(page);
  }

  /** Called when this aggregator becomes the evaluator. Its first checks find the firing alerts. */
  async takeOver(): Promise<void> {
    const { dialect, nowUnixMicro } = this.#database;
    const since = dialect.timestamp(Math.max(0, nowUnixMicro - LAST_WORDS_MICRO));
    const [rows = []] = await this.#database.read([
      sql`select alert, segment from alert_history
        where from_state = 'firing' and "at" >= ${since} and not exists (
          select 1 from alert_states where alert_states.alert = alert_history.alert and state = 'firing'
            and alert_states.segment is not distinct from alert_history.segment)
        group by alert, segment order by max("at") desc limit ${MAX_PAGES}::bigint`,
    ]);
    this.#resolveElsewhere(rows.map(pageOf));
    await this.closeStale();
  }

  /** Called when the states of the alert are deleted. */
  deleted(pages: readonly AlertPage[]): void {
    this.#resolveElsewhere(pages);
  }

  /** At most as many as an evaluator has open. */
  #resolveElsewhere(pages: readonly AlertPage[]): void {
    for (const page of pages.slice(0, MAX_PAGES)) this.#pager.resolved(page, { mayBeOpenElsewhere: true });
  }

  /** The firing states of existing alerts that page. */
  async #firing(): Promise<ReadonlySet<string>> {
    const { dialect } = this.#database;
    const [alertRows = [], stateRows = []] = await this.#database.read([
      selectAlerts(dialect),
      selectStates(dialect, sql`state = 'firing'`),
    ]);
    // The pages of an unreadable definition are kept, since its settings are unknown.
    const silent = new Set(
      alertRows
        .map(storedAlert)
        .filter(({ definition }) => definition?.notify === false)
        .map(({ id }) => id),
    );
    const pages = stateRows.map(pageOf);
    return new Set(pages.filter(({ alert }) => !silent.has(alert)).map(nameOf));
  }
}

/** Maximum number of pages for one alert: the segments that fire longest. */
export const MAX_PAGES = 100;
/** A new evaluator closes pages for the previous one if it ended at most this long ago. */
const LAST_WORDS_MICRO = 3_600_000_000;

function pageOf(row: SqlRow): AlertPage {
  return { alert: textOf(row, 'alert'), segment: textOrNull(row, 'segment') };
}

function nameOf({ alert, segment }: AlertPage): string {
  return JSON.stringify([alert, segment]);
}
