import type { AlertDefinition } from './alert-definition.ts';
import type { AlertPager } from './alert-pager.ts';

/**
 * The alerts that this evaluator cannot check. After several failed checks in a row an alert pages, because
 * an alert that is not evaluated looks like one that does not fire.
 */
export class EvaluationFailures {
  readonly #pager: AlertPager;
  readonly #failing = new Map<string, Failing>();

  constructor(pager: AlertPager) {
    this.#pager = pager;
  }

  /** `notify`: false for an alert that does not page, or not now. */
  failed({ id, notify }: Pick<AlertDefinition, 'id' | 'notify'>, reason: string, nowUnixMicro: number): void {
    const before = this.#failing.get(id);
    const checks = (before?.checks ?? 0) + 1;
    const sinceUnixMicro = before?.sinceUnixMicro ?? nowUnixMicro;
    const isProblem = checks >= MIN_FAILED_CHECKS && nowUnixMicro - sinceUnixMicro >= MIN_FAILING_MICRO;
    const isToPage = notify && isProblem && before?.pagedReason !== reason;
    const pagedReason = isToPage ? reason : before?.pagedReason;
    this.#failing.set(id, { alert: id, reason, sinceUnixMicro, checks, isProblem, pagedReason });
    if (isToPage) this.#pager.cannotEvaluate(id, { reason, sinceUnixMicro });
  }

  worked(id: string): void {
    this.#failing.delete(id);
    if (this.#pager.unevaluated().includes(id)) this.#pager.canEvaluate(id);
  }

  /** Closes our pages of alerts that were deleted or that another aggregator checks from now on. */
  only(ids: ReadonlySet<string>): void {
    for (const id of this.#failing.keys()) if (!ids.has(id)) this.#failing.delete(id);
    for (const id of this.#pager.unevaluated()) if (!ids.has(id)) this.#pager.canEvaluate(id);
  }

  /** Alerts that failed too often and for too long. */
  get problems(): readonly EvaluationProblem[] {
    return [...this.#failing.values()].filter(({ isProblem }) => isProblem);
  }
}

/** Checks fail while the database restarts; only more failures over a longer time are a problem. */
const MIN_FAILED_CHECKS = 3;
const MIN_FAILING_MICRO = 30_000_000;

export interface EvaluationProblem {
  readonly alert: string;
  readonly reason: string;
  readonly sinceUnixMicro: number;
}

interface Failing extends EvaluationProblem {
  readonly checks: number;
  readonly isProblem: boolean;
  /** The reason in the last page; undefined: there was none. */
  readonly pagedReason: string | undefined;
}
