import type { LogSource } from './log-source.ts';

/** Explains to a person why there is nothing to show, and what to do. */
export async function noRecordsText(source: Pick<LogSource, 'search'>, whereFrom: string): Promise<string> {
  return (await isEmpty(source)) ? whereFrom : NO_MATCH;
}

export const NO_MATCH = 'No records match.';

export async function isEmpty(source: Pick<LogSource, 'search'>): Promise<boolean> {
  return (await source.search({ limit: 1 })).entries.length === 0;
}
