import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { GrpcIntake } from '../../src/aggregator/intake/grpc/grpc-intake.ts';
import type { IntakeLimits } from '../../src/aggregator/intake/grpc/intake-limits.ts';
import { Intakes } from '../../src/aggregator/intake/intakes.ts';
import type { PublishLimits } from '../../src/aggregator/intake/publish/publish-calls.ts';
import { Publisher } from '../../src/collector/publisher/publisher.ts';
import type { StatusReport } from '../../src/records/gen/megacollector/v1/aggregator.ts';
import type { BufferPool } from '../../src/runtime/buffer-pool.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { TlsMaterial } from '../../src/runtime/tls.ts';
import type { TlsServerCredentials } from '../../src/runtime/tls-server-credentials.ts';
import type { Queue } from '../../src/storage/queue/queue.ts';
import { capturedLogger } from './captured-logger.ts';
import { MemoryStore } from './memory-store.ts';

const soon = () => AbortSignal.timeout(2_000);

/** A gRPC intake on a free port of the loopback address; it passes its batches to a store in memory. */
export async function startIntake(
  options: {
    store?: MemoryStore;
    /** A real queue instead of the store. */
    queue?: Queue;
    clock?: Clock;
    limits?: Partial<IntakeLimits & PublishLimits>;
    address?: string;
    credentials?: TlsServerCredentials;
    messages?: BufferPool;
  } = {},
) {
  const store = options.store ?? new MemoryStore();
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const grpc: GrpcIntake[] = [];
  const intakes = new Intakes(
    {
      queue: options.queue ?? store,
      ledger: options.queue?.ledger ?? store,
      software: 'test/1',
      messages: options.messages,
      clock: options.clock ?? systemClock,
      logger,
      metrics,
    },
    [
      (context) => {
        const { address = '127.0.0.1:0', credentials, limits } = options;
        const intake = new GrpcIntake(
          { address, credentials, ...(limits !== undefined && { limits }) },
          context,
        );
        grpc.push(intake);
        return intake;
      },
    ],
  );
  await intakes.start();
  const port = grpc[0]?.port ?? 0;
  const stop = (deadline: AbortSignal) => intakes.stop(deadline);
  onTestFinished(() => stop(soon()));
  const { collectors, streams } = intakes;
  return { intake: { port, stop }, collectors, streams, store, lines, metrics, address: `127.0.0.1:${port}` };
}

/** The number of Publish calls now. */
export async function callsOf(metrics: Registry): Promise<number> {
  const text = await metrics.getSingleMetricAsString('aggregator_intake_calls');
  return Number(/ (\d+)$/m.exec(text)?.[1]);
}

export async function startPublisher(
  addresses: readonly string[],
  options: {
    compression?: 'none' | 'lz4';
    tls?: TlsMaterial | undefined;
    collectorId?: Buffer;
    instance?: bigint;
    previousInstance?: bigint | undefined;
    status?: () => StatusReport;
  } = {},
) {
  const { logger, lines } = capturedLogger();
  const publisher = new Publisher({
    addresses,
    tls: options.tls,
    compression: options.compression ?? 'lz4',
    identity: {
      collectorId: options.collectorId ?? randomBytes(16),
      instance: options.instance ?? 1n,
      previousInstance: options.previousInstance,
      software: 'test/1',
      host: 'h',
    },
    clock: systemClock,
    logger,
    metrics: new Registry(),
    status: options.status,
  });
  await publisher.start();
  onTestFinished(() => publisher.stop(soon()));
  return { publisher, lines };
}
