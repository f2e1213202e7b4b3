import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EmitterEnvironment } from '../../../src/emitters/emitter.ts';
import { parseLogplexConfiguration } from '../../../src/emitters/logplex/configuration.ts';
import { LogplexEmitter } from '../../../src/emitters/logplex/logplex-emitter.ts';
import { POSTGRES_IDENTITY, POSTGRES_SOCKET } from '../../../src/formats/postgres/resource-attributes.ts';
import { type Batch, batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recordPayload } from '../../support/febe-frames.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export const going: AbortSignal = new AbortController().signal;

/** A started emitter with this configuration and a fake clock. */
export async function logplex(configuration: object, overrides: Partial<EmitterEnvironment> = {}) {
  const [configured] = parseLogplexConfiguration(JSON.stringify(configuration));
  if (configured === undefined) throw new Error('configures nothing');
  const clock = new FakeClock();
  const environment = emitterEnvironment({ clock, ...overrides });
  const emitter = new LogplexEmitter(configured.configuration, environment);
  onTestFinished(() => emitter.stop());
  await emitter.start();
  /** The value of `aggregator_emitter_logplex_<name>`. */
  const metric = async (name: string) => {
    const found = await environment.metrics.getSingleMetric(`aggregator_emitter_logplex_${name}`)?.get();
    return found?.values[0]?.value ?? 0;
  };
  return { emitter, clock, metric, logs: environment.logs, metrics: environment.metrics };
}

export function batch(records: readonly string[], overrides: Partial<RecordBatch> = {}): Batch {
  return batchOf([recordBatch(records, overrides)]);
}

/** A slice of log records from a PostgreSQL server of this identity. */
export function tenantSlice(
  identity: string,
  messages: readonly string[],
  resource: readonly (readonly [string, string])[] = [],
): RecordBatch {
  return recordBatch(
    messages.map((message) => recordPayload(message)),
    {
      format: 'logfebe',
      resource: new Map([
        [POSTGRES_IDENTITY, identity],
        [POSTGRES_SOCKET, `/run/${identity}.sock`],
        ...resource,
      ]),
    },
  );
}

export interface ServeRecordText {
  readonly i: string;
  readonly p?: string;
  readonly t?: string;
  readonly url?: string;
  readonly name?: string;
}

/** A serve database in a new temporary directory. */
export async function serveDatabase(records?: readonly ServeRecordText[]) {
  const directory = await temporaryDirectory();
  const write = async (text: string) => {
    await writeFile(join(directory, 'temporary'), text);
    await rename(join(directory, 'temporary'), join(directory, 'serves.loaded'));
  };
  const serve = (serves: readonly ServeRecordText[]) =>
    write(JSON.stringify({ serves: serves.map((record) => ({ p: `/run/${record.i}.sock`, ...record })) }));
  if (records !== undefined) await serve(records);
  return { directory, write, serve };
}
