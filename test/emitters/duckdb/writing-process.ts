import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import { DuckDbEmitter } from '../../../src/emitters/duckdb/duckdb-emitter.ts';
import type { Emitter } from '../../../src/emitters/emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { streamParts } from './stream-parts.ts';

/**
 * Writes the streams of `stream-parts.ts` into a file, from a given part, until it is killed or everything is
 * written. Prints the number of flushed parts after each flush: `flushed 7`.
 *
 *     node writing-process.ts PATH SEED FROM
 */
const [path = '', seed = '0', from = '0'] = process.argv.slice(2);
const [configured] = parseDuckDbConfiguration(JSON.stringify({ path, memory: '64MiB', retention_age: 0 }));
if (configured === undefined) throw new Error('No emitter is configured.');
const emitter: Emitter = new DuckDbEmitter(
  configured.configuration,
  emitterEnvironment({ clock: systemClock }),
);
const never = new AbortController().signal;

await emitter.start();
let flushed = Number(from);
while (flushed < streamParts.count) {
  const batches = streamParts.from(Number(seed), flushed).slice(0, 1 + (flushed % 5));
  for (const slices of batches) must(await emitter.emit(batchOf(slices), never));
  must(await emitter.flush(never));
  flushed += batches.length;
  process.stdout.write(`flushed ${flushed}\n`);
}
await emitter.stop(never);

function must(outcome: { readonly kind: string; readonly reason?: string }): void {
  if (outcome.kind !== 'delivered') throw new Error(outcome.reason);
}
