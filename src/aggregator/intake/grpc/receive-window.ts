import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers.ts';

/**
 * An HTTP/2 peer may send as many bytes as the receiver's window, and then waits for an update. The default of 64 KiB
 * allows 3 MB/s with a round trip of 20 ms, and half the speed even on the loopback interface. grpc-js sets no other
 * window on servers and has no option for it, so this file changes its HTTP/2 sessions.
 *
 * A stalled call may fill its window, and the aggregator holds these bytes. The windows therefore share a budget: few
 * collectors get wide windows, many get narrower ones, and wide windows become narrower when more collectors connect.
 */
const BUDGET_BYTES = 96 * 1024 * 1024;
const WIDEST_BYTES = 8 * 1024 * 1024;
const NARROWEST_BYTES = 128 * 1024;

/** The window of one stream when `sessions` share the budget. A power of two, so that it changes seldom. */
export function windowFor(sessions: number): number {
  // A session's window is twice that of its stream: two of the three parts of its share.
  const share = BUDGET_BYTES / 3 / Math.max(1, sessions);
  const rounded = 2 ** Math.floor(Math.log2(share));
  return Math.min(WIDEST_BYTES, Math.max(NARROWEST_BYTES, rounded));
}

/** Called once, after the server is bound. */
export function widenReceiveWindows(server: Server): void {
  const sessions = new Set<ServerHttp2Session>();
  let current = windowFor(1);

  const apply = (session: ServerHttp2Session) => {
    if (session.destroyed) return;
    session.settings({ initialWindowSize: current });
    // Too many settings without an acknowledgement end the session, and a session that has ended throws.
    if (session.destroyed) return;
    session.setLocalWindowSize(current * 2);
  };
  const share = () => {
    const next = windowFor(sessions.size);
    if (next === current) return;
    current = next;
    for (const session of sessions) apply(session);
  };

  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session);
      session.once('close', () => {
        sessions.delete(session);
        share();
      });
      share();
      apply(session);
    });
  }
}
