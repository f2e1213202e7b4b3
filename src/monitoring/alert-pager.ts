import type { AlertDefinition } from './alert-definition.ts';

/** Which page: an alert, or one segment of it. */
export interface AlertPage {
  readonly alert: string;
  readonly segment: string | null;
}

export interface AlertPageDetails {
  readonly definition: AlertDefinition;
  readonly observed: number | null;
  readonly sinceUnixMicro: number;
}

export interface UnevaluatedDetails {
  readonly reason: string;
  readonly sinceUnixMicro: number;
}

/** Tells people about alerts. Calls return at once and never fail; what is told twice is shown once. */
export interface AlertPager {
  firing(page: AlertPage, details: AlertPageDetails): void;
  /** `mayBeOpenElsewhere`: even when we have not opened it, for another aggregator may have. */
  resolved(page: AlertPage, options?: { readonly mayBeOpenElsewhere: boolean }): void;
  /** What we have opened and not resolved, in earlier runs, too. */
  open(): readonly AlertPage[];
  /** The alert cannot be checked, and nothing is known of whether it would fire. */
  cannotEvaluate(alert: string, problem: UnevaluatedDetails): void;
  canEvaluate(alert: string): void;
  /** The alerts for which `cannotEvaluate` is open, in earlier runs, too. */
  unevaluated(): readonly string[];
}
