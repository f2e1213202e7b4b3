import { fileURLToPath } from 'node:url';
import { Server, type ServerCredentials, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { LIMITS } from '../../records/limits.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import { listenError } from '../../runtime/listen-error.ts';
import { silenceGrpcLog } from '../../runtime/logging/silence-grpc-log.ts';
import type { Ledger, QueueWriter } from '../../storage/queue/queue-contract.ts';
import { CollectorInstances } from './collector-instances.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { createIntakeEvents, type IntakeEvents } from './events.ts';
import { onFailedHandshake } from './failed-handshakes.ts';
import { INTAKE_LIMITS, type IntakeLimits } from './intake-limits.ts';
import { PublishCall, type PublishCallContext, type PublishStream } from './publish-call.ts';
import { publishService } from './publish-service.ts';
import { widenReceiveWindows } from './receive-window.ts';
import { SharedLimit } from './shared-limit.ts';
import { StreamsUnderWay } from './streams-under-way.ts';
import { UnansweredBudget } from './unanswered-budget.ts';
import { UnfinishedMessages } from './unfinished-messages.ts';

const SERVICE = 'megacollector.v1.Aggregator';
const PROTO_ROOT = fileURLToPath(new URL('../../../proto', import.meta.url));
const KEEPALIVE_MS = 10_000;
const BUSY_INTERVAL_MS = 10_000;
/** A collector has one; the others are for health and reflection. */
const CALLS_PER_CONNECTION = 4;
const IDLE_CONNECTION_MS = 60_000;
const ALL_UNANSWERED_BYTES = 16 * 1024 * 1024;

export interface IntakeOptions {
  /** `host:port`. */
  readonly address: string;
  readonly credentials: ServerCredentials;
  readonly queue: QueueWriter;
  readonly ledger: Ledger;
  readonly software: string;
  /** How many queued records the slowest emitter has not delivered, for a collector that requests it. */
  readonly undeliveredRecords?: () => number;
  /** Default: the limit of the wire. */
  readonly streamsPerCall?: number;
  readonly limits?: Partial<IntakeLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * Where record batches enter the aggregator: the gRPC server and the calls on it. Nothing is answered `accepted` here
 * before the queue says that every byte of it is flushed.
 */
export class Intake implements Component {
  readonly #options: IntakeOptions;
  readonly #events: IntakeEvents;
  readonly #health = new HealthImplementation({ '': 'NOT_SERVING', [SERVICE]: 'NOT_SERVING' });
  readonly #calls = new Set<PublishCall>();
  readonly #openStreams: SharedLimit;
  readonly #unfinished: UnfinishedMessages;
  readonly #connections: ConnectionLimits;
  readonly #underWay = new StreamsUnderWay();
  readonly #instances = new CollectorInstances();
  readonly #callOfCollector = new Map<string, PublishCall>();
  #server: Server | undefined;
  #unsubscribe: (() => void) | undefined;
  #cancelBusy: Cancel | undefined;
  #stopping = false;
  /** The port that was bound; differs from the address's when that was 0. */
  port = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#events = createIntakeEvents(options.logger, options.metrics, options.clock);
    const limits = { ...INTAKE_LIMITS, ...options.limits };
    const { clock } = options;
    const onRefused = (peer: string, reason: string) => this.#events.connectionRefused(peer, reason);
    this.#openStreams = new SharedLimit(limits.openStreams);
    this.#connections = new ConnectionLimits({ limits, clock, onRefused });
    this.#unfinished = new UnfinishedMessages({
      limitBytes: limits.unfinishedBytes,
      withinMs: limits.messageWithinMs,
      clock,
      onEnded: onRefused,
      onBytes: (bytes) => this.#events.unfinished(bytes),
    });
  }

  /** Collectors connected now. */
  get connectedCollectors(): number {
    return this.#callOfCollector.size;
  }

  async start(): Promise<void> {
    silenceGrpcLog();
    const server = new Server({
      'grpc.max_receive_message_length': LIMITS.messageBytes,
      'grpc.max_send_message_length': LIMITS.messageBytes,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
      'grpc.max_connection_idle_ms': IDLE_CONNECTION_MS,
      'grpc.max_concurrent_streams': CALLS_PER_CONNECTION,
      'grpc.enable_channelz': 0,
    });
    this.#server = server;
    server.addService(publishService, { publish: (stream: PublishStream) => this.#accept(stream) });
    this.#health.addToServer(server);
    const definition = loadSync('megacollector/v1/aggregator.proto', { includeDirs: [PROTO_ROOT] });
    new ReflectionService(definition).addToServer(server);
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.#options.address, this.#options.credentials, (error, port) =>
        error === null ? resolve(port) : reject(listenError('collectors', this.#options.address, error)),
      );
    });
    this.#connections.watch(server);
    this.#unfinished.watch(server);
    widenReceiveWindows(server);
    onFailedHandshake(server, (peer, reason) => this.#events.handshakeFailed(peer, reason));
    this.#unsubscribe = this.#options.queue.onStopped((reason) => this.#intakeChanged(reason));
    this.#setHealth('SERVING');
    if (this.#options.queue.stopped !== undefined) this.#intakeChanged(this.#options.queue.stopped);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#unsubscribe?.();
    this.#cancelBusy?.();
    this.#unfinished.stop();
    this.#setHealth('NOT_SERVING');
    const server = this.#server;
    if (server === undefined) return;
    await Promise.race([
      Promise.all([...this.#calls].map((call) => call.drain('shutting down'))),
      aborted(deadline),
    ]);
    await Promise.race([
      new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
      aborted(deadline, 1000),
    ]);
    server.forceShutdown();
    this.#events.flush();
  }

  #accept(stream: PublishStream): void {
    const context: PublishCallContext = {
      queue: this.#options.queue,
      ledger: this.#options.ledger,
      budget: this.#budget,
      events: this.#events,
      software: this.#options.software,
      streamsPerCall: this.#options.streamsPerCall ?? LIMITS.streamsPerCall,
      openStreams: this.#openStreams,
      underWay: this.#underWay,
      instances: this.#instances,
      clock: this.#options.clock,
      undeliveredRecords: this.#options.undeliveredRecords,
      claim: (call) => this.#claim(call),
      release: (call) => this.#release(call),
    };
    const call = new PublishCall(stream, context);
    if (this.#stopping) call.end(status.UNAVAILABLE, 'shutting down');
    else this.#calls.add(call);
  }

  readonly #budget = new UnansweredBudget(ALL_UNANSWERED_BYTES, (bytes) => this.#events.unanswered(bytes));

  #claim(call: PublishCall): string | undefined {
    const id = call.collectorId ?? '';
    const older = this.#callOfCollector.get(id);
    if (older !== undefined && older.tlsSubject !== call.tlsSubject) {
      return 'this collector id is connected with another certificate';
    }
    if (this.#instances.seen(id, call.instance)) this.#events.sharedIdentity(call.peer);
    this.#callOfCollector.set(id, call);
    older?.end(status.ABORTED, 'a newer call of this collector has begun');
    return undefined;
  }

  #release(call: PublishCall): void {
    this.#calls.delete(call);
    const id = call.collectorId;
    if (id !== undefined && this.#callOfCollector.get(id) === call) this.#callOfCollector.delete(id);
  }

  #intakeChanged(stopped: string | undefined): void {
    this.#cancelBusy?.();
    this.#cancelBusy = undefined;
    if (stopped === undefined) this.#events.resumed();
    else this.#events.stopped(stopped);
    this.#setHealth(stopped === undefined ? 'SERVING' : 'NOT_SERVING');
    this.#tellCalls(stopped);
  }

  #tellCalls(stopped: string | undefined): void {
    for (const call of this.#calls) call.intakeChanged(stopped);
    if (stopped === undefined) return;
    this.#cancelBusy = this.#options.clock.after(BUSY_INTERVAL_MS, () =>
      this.#tellCalls(this.#options.queue.stopped),
    );
  }

  #setHealth(serving: 'SERVING' | 'NOT_SERVING'): void {
    this.#health.setStatus('', serving);
    this.#health.setStatus(SERVICE, serving);
  }
}

function aborted(signal: AbortSignal, atMostMs?: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (atMostMs !== undefined) setTimeout(resolve, atMostMs).unref();
  });
}
