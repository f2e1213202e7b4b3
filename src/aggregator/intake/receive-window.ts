import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers.ts';

/**
 * HTTP/2 lets a peer send as much as the receiver's window, then waits for an update: with the default of 64 KiB that is
 * 3 MB/s at 20 ms of round trip, and half the speed even on loopback. grpc-js sets no other window on servers and has no
 * option for it, so this one file reaches below it.
 *
 * What a window allows, a stalled call may make us hold. So the windows share a budget: few collectors get wide ones, many
 * get narrower ones, and those that were given a wide one are narrowed when others come.
 */
const BUDGET_BYTES = 96 * 1024 * 1024;
const WIDEST_BYTES = 8 * 1024 * 1024;
const NARROWEST_BYTES = 128 * 1024;

/** The window of one stream when `sessions` share the budget; a power of two, so that it changes seldom. */
export function windowFor(sessions: number): number {
  // A session's own window is twice its stream's: two of the three parts of its share.
  const share = BUDGET_BYTES / 3 / Math.max(1, sessions);
  const rounded = 2 ** Math.floor(Math.log2(share));
  return Math.min(WIDEST_BYTES, Math.max(NARROWEST_BYTES, rounded));
}

/** To be called once after the server has been bound. */
export function widenReceiveWindows(server: Server): void {
  const sessions = new Set<ServerHttp2Session>();
  let current = windowFor(1);

  const apply = (session: ServerHttp2Session) => {
    if (session.destroyed) return;
    session.settings({ initialWindowSize: current });
    // A peer that acknowledges no settings ends its session by this, and a session that has ended throws.
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
