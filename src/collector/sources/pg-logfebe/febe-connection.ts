import type { Socket } from 'node:net';
import { type FebeFault, febeFault } from '../../../protocols/febe/febe-fault.ts';
import type { FebeLimits } from '../../../protocols/febe/febe-limits.ts';
import { type FebeHandler, FebeSession } from '../../../protocols/febe/febe-session.ts';
import type { LogShape } from '../../../protocols/febe/log-shape.ts';
import type { ServerVersion } from '../../../protocols/febe/server-version.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import type { SessionTrack } from './gap-detector.ts';

/** Version and identity are in the first packet. */
const STARTUP_MS = 5000;

/**
 * One PostgreSQL process. All its bytes are read as soon as they arrive, because a process whose socket is full
 * blocks in the middle of its work. Nothing is ever written to it.
 */
export class FebeConnection implements FebeHandler {
  readonly #options: FebeConnectionOptions;
  readonly #session: FebeSession;
  readonly #cancelStartup: Cancel;
  #version: ServerVersion | undefined;
  #records = 0;
  #ended = false;

  constructor(options: FebeConnectionOptions) {
    const { socket, clock } = options;
    this.#options = options;
    this.#session = new FebeSession(this, options.limits);
    this.#cancelStartup = clock.after(STARTUP_MS, () => this.#end('silence'));
    socket.on('data', (chunk: Buffer) => {
      const fault = this.#session.push(chunk);
      if (fault !== undefined) this.#end(fault);
    });
    socket.on('end', () => this.#end(this.#session.end()));
    // ECONNRESET: the process is gone. Its bytes were read before.
    socket.on('error', () => this.#end(this.#session.end()));
    socket.on('close', () => this.#end(this.#session.end()));
  }

  get records(): number {
    return this.#records;
  }

  get bytesRead(): number {
    return this.#options.socket.bytesRead;
  }

  close(): void {
    this.#end(undefined);
  }

  /** For the session. */
  version(version: ServerVersion): undefined {
    this.#version = version;
  }

  /** For the session. */
  identity(identity: Uint8Array): FebeFault | undefined {
    const { identity: expected, listener } = this.#options;
    if (Buffer.compare(identity, expected) !== 0) return wrongIdentity(identity, expected);
    this.#cancelStartup();
    if (this.#version !== undefined) listener.established(this.#version);
    return undefined;
  }

  /** For the session. */
  record(payload: Uint8Array, shape: LogShape): undefined {
    if (this.#version === undefined) return;
    this.#records++;
    const missed = this.#options.track.missedBefore(payload, shape);
    this.#options.listener.record(payload, this.#version, missed);
  }

  #end(fault: FebeFault | 'silence' | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelStartup();
    this.#options.socket.destroy();
    this.#options.track.end();
    this.#options.listener.ended(this, fault);
  }
}

export interface FebeConnectionOptions {
  readonly socket: Socket;
  /** The identity that the peer must send. */
  readonly identity: Uint8Array;
  readonly limits: FebeLimits;
  readonly clock: Clock;
  readonly track: SessionTrack;
  readonly listener: ConnectionListener;
}

/** Receives the events of a connection. The bytes of `record` are valid only during the call. */
export interface ConnectionListener {
  established(version: ServerVersion): void;
  record(payload: Uint8Array, version: ServerVersion, missed: number): void;
  /** Exactly once, as the last event. `fault` undefined: the peer closed cleanly, or the listener did. */
  ended(connection: FebeConnection, fault: FebeFault | 'silence' | undefined): void;
}

const SHOWN_CHARACTERS = 200;

function wrongIdentity(identity: Uint8Array, expected: Uint8Array): FebeFault {
  const shown = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString();
    return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text);
  };
  return febeFault('bad identity', `the identity is ${shown(identity)}, but must be ${shown(expected)}`);
}
