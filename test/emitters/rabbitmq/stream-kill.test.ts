import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConsumeMessage, connect } from 'amqplib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { aggregatorStatus, collectorStatus } from '../../../testkit/owner-status.ts';
import type { Pair } from '../../../testkit/pair.ts';
import { productIsBuilt } from '../../../testkit/product.ts';
import { testPair } from '../../support/processes.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';

const LINES = 30_000;
const KILLS = 6;
const TIMEOUT_MS = 240_000;
const PATIENT = { timeout: 120_000, interval: 200 };
const skipped = MISSING_RABBITMQ === undefined ? '' : ` (skipped: ${MISSING_RABBITMQ})`;

describe.skipIf(MISSING_RABBITMQ !== undefined || !productIsBuilt())(
  `aggregator and a RabbitMQ stream${skipped}`,
  () => {
    useBroker();

    /** Reads the stream from its beginning, and calls `onText` with the number of texts after each. */
    async function read(queue: string, onText: (count: number) => void): Promise<readonly string[]> {
      const broker = await sharedBroker();
      const connection = await connect(broker.url());
      connection.on('error', () => {});
      onTestFinished(() => connection.close().catch(() => {}));
      const channel = await connection.createChannel();
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } });
      await channel.prefetch(1000);
      const found: string[] = [];
      const onMessage = (message: ConsumeMessage | null) => {
        if (message === null) return;
        channel.ack(message);
        onText(found.push(message.content.toString()));
      };
      await channel.consume(queue, onMessage, { arguments: { 'x-stream-offset': 'first' } });
      return found;
    }

    async function untilDelivered(pair: Pair, bytes: number): Promise<void> {
      await vi.waitFor(async () => {
        expect((await collectorStatus(pair.collectorState)).accepted).toBe(bytes);
        const { emitters } = await aggregatorStatus(pair.aggregatorState);
        expect(emitters.map(({ queued }) => queued.records)).toEqual([0]);
      }, PATIENT);
    }

    test('has each line once, in order, after the aggregator was killed again and again', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const queue = `kill-${randomUUID()}`;
      const address = `rabbitmq-stream://127.0.0.1:${(await sharedBroker()).streamPort}`;
      const emitter = {
        address,
        queue,
        queue_type: 'stream',
        body: 'raw',
        timeout: '5s',
        confirm_timeout: '5s',
      };
      const pair = await testPair({
        emitters: { AGGREGATOR_RABBITMQ_CONFIGURATION: JSON.stringify(emitter) },
        aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms', AGGREGATOR_RETRY_DELAY: '100ms' },
      });
      let aggregator = pair.startAggregator();
      pair.startCollector();
      const lines = Array.from({ length: LINES }, (_, index) => `line ${index}`);
      const step = LINES / KILLS;
      let killAt = Number.POSITIVE_INFINITY;
      // The broker delivers a message before the cursor has passed it.
      const found = await read(queue, (count) => {
        if (count < killAt) return;
        killAt = Number.POSITIVE_INFINITY;
        aggregator.signal('SIGKILL');
      });
      for (let from = 0; from < LINES; from += step) {
        killAt = from + step / 2;
        await appendFile(join(pair.logDirectory, 'a.log'), `${lines.slice(from, from + step).join('\n')}\n`);
        await aggregator.exited;
        aggregator = pair.startAggregator();
      }
      await untilDelivered(pair, lines.join('\n').length + 1);
      await vi.waitFor(() => expect(found.length).toBeGreaterThanOrEqual(LINES), PATIENT);
      expect(found).toEqual(lines);
    });
  },
);
