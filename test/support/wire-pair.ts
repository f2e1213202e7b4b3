import { randomBytes } from 'node:crypto';
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Intake } from '../../src/aggregator/intake/intake.ts';
import type { IntakeLimits } from '../../src/aggregator/intake/intake-limits.ts';
import { Publisher } from '../../src/collector/publisher/publisher.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { Queue } from '../../src/storage/queue/queue.ts';
import { capturedLogger } from './captured-logger.ts';
import { MemoryStore } from './memory-store.ts';

const soon = () => AbortSignal.timeout(2_000);

/** An intake on a free port of loopback, before a store in memory. */
export async function startIntake(
  options: {
    store?: MemoryStore;
    /** A real queue instead of the store. */
    queue?: Queue;
    clock?: Clock;
    limits?: Partial<IntakeLimits>;
    address?: string;
    credentials?: ServerCredentials;
    streamsPerCall?: number;
  } = {},
) {
  const store = options.store ?? new MemoryStore();
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const intake = new Intake({
    address: options.address ?? '127.0.0.1:0',
    credentials: options.credentials ?? ServerCredentials.createInsecure(),
    queue: options.queue ?? store,
    ledger: options.queue?.ledger ?? store,
    software: 'test/1',
    ...(options.streamsPerCall !== undefined && { streamsPerCall: options.streamsPerCall }),
    ...(options.limits !== undefined && { limits: options.limits }),
    clock: options.clock ?? systemClock,
    logger,
    metrics,
  });
  await intake.start();
  onTestFinished(() => intake.stop(soon()));
  return { intake, store, lines, metrics, address: `127.0.0.1:${intake.port}` };
}

export async function startPublisher(
  addresses: readonly string[],
  options: {
    compression?: 'none' | 'lz4';
    credentials?: ChannelCredentials;
    collectorId?: Buffer;
    instance?: bigint;
  } = {},
) {
  const { logger, lines } = capturedLogger();
  const publisher = new Publisher({
    addresses,
    credentials: options.credentials ?? credentials.createInsecure(),
    compression: options.compression ?? 'lz4',
    identity: {
      collectorId: options.collectorId ?? randomBytes(16),
      instance: options.instance ?? 1n,
      software: 'test/1',
      host: 'h',
    },
    clock: systemClock,
    logger,
    metrics: new Registry(),
  });
  await publisher.start();
  onTestFinished(() => publisher.stop(soon()));
  return { publisher, lines };
}
