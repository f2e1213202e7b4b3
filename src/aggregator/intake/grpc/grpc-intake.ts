import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { LIMITS } from '../../../records/limits.ts';
import { untilAborted } from '../../../runtime/async/until-aborted.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import { silenceGrpcLog } from '../../../runtime/logging/silence-grpc-log.ts';
import type { CreateIntake, Intake, IntakeContext } from '../intake.ts';
import { PUBLISH_LIMITS, PublishCalls, type PublishLimits } from '../publish/publish-calls.ts';
import { limitCallHeaders } from './call-headers.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { GRPC_EVENTS, type GrpcEvents } from './events.ts';
import { onFailedHandshake } from './failed-handshakes.ts';
import { GrpcPublishTransport, type PublishStream } from './grpc-publish-transport.ts';
import { HealthService } from './health-service.ts';
import { INTAKE_LIMITS, type IntakeLimits } from './intake-limits.ts';
import { publishService } from './publish-service.ts';
import { widenReceiveWindows } from './receive-window.ts';
import { addReflectionService } from './reflection-service.ts';
import { UnfinishedMessages } from './unfinished-messages.ts';

const SERVICE = 'megacollector.v1.Aggregator';
const KEEPALIVE_MS = 10_000;
/** A collector has one; the others are for health and reflection. */
const CALLS_PER_CONNECTION = 4;
const IDLE_CONNECTION_MS = 60_000;
const SHUTDOWN_WITHIN_MS = 1_000;

export interface GrpcIntakeOptions {
  /** `host:port`. */
  readonly address: string;
  /** For the error of a failed start. */
  readonly addressVariable?: string;
  readonly credentials: ServerCredentials;
  readonly limits?: Partial<IntakeLimits & PublishLimits>;
}

export function grpcIntake(options: GrpcIntakeOptions): CreateIntake {
  return (context) => new GrpcIntake(options, context);
}

/** The gRPC server: Publish calls of collectors, health, and reflection. */
export class GrpcIntake implements Intake {
  readonly name = 'grpc';
  readonly #options: GrpcIntakeOptions;
  readonly #context: IntakeContext;
  readonly #events: GrpcEvents;
  readonly #health = new HealthService();
  readonly #calls: PublishCalls;
  readonly #unfinished: UnfinishedMessages;
  readonly #connections: ConnectionLimits;
  #server: Server | undefined;
  #unsubscribe: () => void = () => {};
  #isStopping = false;
  /** The bound port. It differs from the port of the address when that is 0. */
  port = 0;

  constructor(options: GrpcIntakeOptions, context: IntakeContext) {
    const { clock, logger, metrics } = context;
    this.#events = GRPC_EVENTS.open({ logger, metrics, clock });
    const limits = { ...INTAKE_LIMITS, ...PUBLISH_LIMITS, ...options.limits };
    const onClosed = (peer: string, reason: string) => this.#events.connectionClosed({ peer, reason });
    this.#options = options;
    this.#context = context;
    this.#calls = new PublishCalls(context, limits);
    this.#connections = new ConnectionLimits({ limits, clock, onClosed });
    this.#unfinished = new UnfinishedMessages({
      limitBytes: limits.unfinishedBytes,
      withinMs: limits.messageWithinMs,
      clock,
      onEnded: onClosed,
      onBytes: (bytes) => this.#events.unfinished({ bytes }),
    });
  }

  async start(): Promise<void> {
    silenceGrpcLog();
    this.#setHealth(false);
    const server = this.#createServer();
    this.#server = server;
    this.port = await this.#bind(server);
    this.#connections.watch(server);
    this.#unfinished.watch(server);
    widenReceiveWindows(server);
    limitCallHeaders(server, (peer, reason) => this.#events.connectionClosed({ peer, reason }));
    onFailedHandshake(server, (peer, reason) => this.#events.handshakeFailed({ peer, reason }));
    const { queue } = this.#context;
    this.#unsubscribe = queue.onStopped((stopped) => this.#setHealth(stopped === undefined));
    this.#setHealth(queue.stopped === undefined);
    this.#calls.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#unsubscribe();
    this.#unfinished.stop();
    this.#setHealth(false);
    const server = this.#server;
    if (server === undefined) return;
    await this.#calls.stop(deadline);
    const shutDown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    await untilAborted(shutDown, AbortSignal.any([deadline, AbortSignal.timeout(SHUTDOWN_WITHIN_MS)]));
    server.forceShutdown();
    this.#events.flush();
  }

  #createServer(): Server {
    const server = new Server({
      'grpc.max_receive_message_length': LIMITS.messageBytes,
      'grpc.max_send_message_length': LIMITS.messageBytes,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
      'grpc.max_connection_idle_ms': IDLE_CONNECTION_MS,
      'grpc.max_concurrent_streams': CALLS_PER_CONNECTION,
      'grpc.enable_channelz': 0,
    });
    server.addService(publishService, { publish: (stream: PublishStream) => this.#accept(stream) });
    this.#health.addTo(server);
    addReflectionService(server);
    return server;
  }

  #bind(server: Server): Promise<number> {
    const { address, addressVariable, credentials } = this.#options;
    return new Promise((resolve, reject) => {
      server.bindAsync(address, credentials, (error, port) =>
        error === null
          ? resolve(port)
          : reject(listenError({ purpose: 'collectors', address, variable: addressVariable }, error)),
      );
    });
  }

  #accept(stream: PublishStream): void {
    const transport = new GrpcPublishTransport(stream);
    transport.deliverTo(this.#calls.accept(transport));
  }

  #setHealth(isServing: boolean): void {
    const serving = isServing ? 'SERVING' : 'NOT_SERVING';
    this.#health.set('', serving);
    this.#health.set(SERVICE, serving);
  }
}
