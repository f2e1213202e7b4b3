import type { GrpcServerMethod } from '../../../protocols/grpc/grpc-server-method.ts';
import { PUBLISH_PATH } from '../../../records/publish-codec.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import type { TlsServerCredentials } from '../../../runtime/tls-server-credentials.ts';
import type { CreateIntake, Intake, IntakeContext } from '../intake.ts';
import { PUBLISH_LIMITS, PublishCalls, type PublishLimits } from '../publish/publish-calls.ts';
import { GRPC_EVENTS, type GrpcEvents } from './events.ts';
import { publishMethod } from './grpc-publish-transport.ts';
import { GrpcServer } from './grpc-server.ts';
import { HealthService } from './health-service.ts';
import { INTAKE_LIMITS, type IntakeLimits } from './intake-limits.ts';
import { REFLECTION_METHODS } from './reflection/reflection-service.ts';

const SERVICE = 'megacollector.v1.Aggregator';

export interface GrpcIntakeOptions {
  /** `host:port`, or `unix:path`. */
  readonly address: string;
  /** For the error of a failed start. */
  readonly addressVariable?: string;
  /** undefined: plain text. */
  readonly credentials: TlsServerCredentials | undefined;
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
  readonly #server: GrpcServer;
  #unsubscribe: () => void = () => {};
  #isStopping = false;
  /** The bound port. It differs from the port of the address when that is 0. */
  port = 0;

  constructor(options: GrpcIntakeOptions, context: IntakeContext) {
    const { clock, logger, metrics } = context;
    const limits = { ...INTAKE_LIMITS, ...PUBLISH_LIMITS, ...options.limits };
    this.#events = GRPC_EVENTS.open({ logger, metrics, clock });
    this.#options = options;
    this.#context = context;
    this.#calls = new PublishCalls(context, limits);
    const methods = this.#methods();
    this.#server = new GrpcServer({
      credentials: options.credentials,
      method: (path) => methods.get(path),
      limits,
      clock,
      messages: context.messages,
      onClosed: (peer, reason) => this.#events.connectionClosed({ peer, reason }),
      onHandshakeFailed: (peer, reason) => this.#events.handshakeFailed({ peer, reason }),
      onUnfinishedBytes: (bytes) => this.#events.unfinished({ bytes }),
    });
  }

  async start(): Promise<void> {
    this.#setHealth(false);
    this.port = await this.#listen();
    const { queue } = this.#context;
    this.#unsubscribe = queue.onStopped((stopped) => this.#setHealth(stopped === undefined));
    this.#setHealth(queue.stopped === undefined);
    this.#calls.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#unsubscribe();
    this.#setHealth(false);
    this.#server.drain();
    await this.#calls.stop(deadline);
    await this.#server.close(deadline);
    this.#events.flush();
  }

  #methods(): ReadonlyMap<string, GrpcServerMethod> {
    return new Map([
      [PUBLISH_PATH, publishMethod((transport) => this.#calls.accept(transport))],
      ...this.#health.methods,
      ...REFLECTION_METHODS,
    ]);
  }

  async #listen(): Promise<number> {
    const { address, addressVariable: variable } = this.#options;
    try {
      return await this.#server.listen(address);
    } catch (error) {
      throw listenError({ purpose: 'collectors', address, variable }, error as Error);
    }
  }

  #setHealth(isServing: boolean): void {
    const serving = isServing ? 'SERVING' : 'NOT_SERVING';
    this.#health.set('', serving);
    this.#health.set(SERVICE, serving);
  }
}
