import type { LogEntry, SearchRequest, UnknownProperty } from '../../../logstore/logs/log-requests.ts';
import { ApiError } from '../api/api-error.ts';
import type { LogSource } from './log-source.ts';

const PAGE_RECORDS = 1000;
/** Of what is held to be turned around. */
const MAX_HELD_CHARACTERS = 256 * 1024 * 1024;

export interface FoundLogs {
  readonly entries: readonly LogEntry[];
  /** Why nothing was found, perhaps. */
  readonly unknown: readonly UnknownProperty[];
}

/** The newest records that match, the newest last. Requests as many pages as `limit` needs. */
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
      throw new ApiError('These are too many to hold: ask for fewer with -n.', { isTransient: false });
    }
    found.push(...page.entries);
    // A page that leads nowhere would be asked for for ever.
    if (page.next === null || page.entries.length === 0) break;
    cursor = page.next;
  }
  return { entries: found.slice(0, request.limit).reverse(), unknown };
}

const ROW_CHARACTERS = 500;

function sizeOf({ body, attributes }: LogEntry): number {
  let characters = ROW_CHARACTERS + body.length;
  for (const value of Object.values(attributes)) {
    characters += typeof value === 'string' ? value.length : ROW_CHARACTERS;
  }
  return characters;
}
