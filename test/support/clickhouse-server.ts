import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';

/** Names what is missing; undefined: ClickHouse can be started. */
export const CLICKHOUSE_MISSING = OwnClickHouse.isInstalled()
  ? undefined
  : 'chdb is not installed (make test-clickhouse)';

/** A server of its own in a temporary directory; gone when the test has finished. */
export async function startClickHouse(
  whenFinished: (cleanUp: () => Promise<void>) => void = onTestFinished,
  password?: string,
): Promise<OwnClickHouse> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-clickhouse-'));
  whenFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const server = await OwnClickHouse.create({ directory, ...(password !== undefined && { password }) });
  whenFinished(() => server.kill());
  await server.start();
  return server;
}
