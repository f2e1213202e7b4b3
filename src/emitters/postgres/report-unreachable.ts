import { connectionRemedy } from './connection-remedy.ts';
import { describeFailure } from './describe-failure.ts';
import type { PostgresEvents } from './events.ts';
import { isConnectError } from './in-transaction.ts';

/** Reports errors from before the connection was established; returns whether this is one. */
export function reportUnreachable(events: PostgresEvents, place: string, error: unknown): boolean {
  if (!isConnectError(error)) return false;
  events.unreachable({ place, reason: describeFailure(error), remedy: connectionRemedy(error) });
  return true;
}
