import type { LogEntry, SearchRequest, UnknownProperty } from '../../../logstore/logs/log-requests.ts';
import { ApiError } from '../api/api-error.ts';
import type { LogSource } from './log-source.ts';

/**
 * Finds the newest records that match and returns them with the newest last. Requests as many pages as
 * `limit` needs.
 */
export async function searchLogs(api: Pick<LogSource, 'search'>, request: SearchRequest): Promise<FoundLogs> {
  const found: LogEntry[] = [];
  let unknown: readonly UnknownProperty[] = [];
  let heldCharacters = 0;
  let cursor: string | undefined;
  while (found.length < request.limit) {
    const limit = Math.min(PAGE_RECORDS, request.limit - found.length);
    const page = await api.search({ ...request, limit, ...(cursor !== undefined && { cursor }) });
    unknown = page.unknown ?? unknown;
    for (const entry of page.entries) heldCharacters += sizeOf(entry);
    if (heldCharacters > MAX_HELD_CHARACTERS) {
      throw new ApiError('Cannot keep the records in memory: they are too large. Request fewer with -n.', {
        isTransient: false,
      });
    }
    found.push(...page.entries);
    // A page that leads nowhere would be requested without an end.
    if (page.next === null || page.entries.length === 0) break;
    cursor = page.next;
  }
  return { entries: found.slice(0, request.limit).reverse(), unknown };
}

const PAGE_RECORDS = 1000;
/** Maximum size of the records that are kept to reverse their order. */
const MAX_HELD_CHARACTERS = 256 * 1024 * 1024;

export interface FoundLogs {
  readonly entries: readonly LogEntry[];
  /** Properties that may be the reason why nothing was found. */
  readonly unknown: readonly UnknownProperty[];
}

const ROW_CHARACTERS = 500;

function sizeOf({ body, attributes }: LogEntry): number {
  let characters = ROW_CHARACTERS + body.length;
  for (const value of Object.values(attributes)) {
    characters += typeof value === 'string' ? value.length : ROW_CHARACTERS;
  }
  return characters;
}
