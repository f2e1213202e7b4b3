import type { AlertDefinition } from './alert-definition.ts';

/** Sends pages about alerts. Calls return at once and never fail; a repeated page is shown once. */
export interface AlertPager {
  firing(page: AlertPage, details: AlertPageDetails): void;
  /** `mayBeOpenElsewhere`: also resolve a page that another aggregator may have opened. */
  resolved(page: AlertPage, options?: { readonly mayBeOpenElsewhere: boolean }): void;
  /** The pages that this aggregator has opened and not resolved, also in earlier runs. */
  open(): readonly AlertPage[];
  /** The alert cannot be checked, so it is unknown whether it would fire. */
  cannotEvaluate(alert: string, problem: UnevaluatedDetails): void;
  canEvaluate(alert: string): void;
  /** The alerts for which `cannotEvaluate` is open, also from earlier runs. */
  unevaluated(): readonly string[];
}

/** Identifies a page: an alert, or one segment of it. */
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
