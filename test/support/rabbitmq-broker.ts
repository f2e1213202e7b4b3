import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { OwnRabbitmq, type RabbitmqTls } from '../../testkit/own-rabbitmq.ts';

/** Why the tests with a broker are skipped; undefined: they are not. */
export const MISSING_RABBITMQ = OwnRabbitmq.isInstalled()
  ? undefined
  : 'RabbitMQ is not installed (apt-get install rabbitmq-server)';

let shared: Promise<OwnRabbitmq> | undefined;
let end: () => Promise<void> = async () => {};

/** Its first start takes long on a busy machine. */
const START_TIMEOUT_MS = 180_000;

/**
 * Call it in a `describe`: the broker starts before the first test and ends after the last one. One broker for all of
 * them, since its start takes seconds.
 */
export function useBroker(
  tls: () => Promise<RabbitmqTls | undefined> = async () => undefined,
  settings: readonly string[] = [],
): void {
  beforeAll(async () => {
    shared ??= startBroker(await tls(), settings);
    await shared;
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    shared = undefined;
    await end();
  }, START_TIMEOUT_MS);
}

export function sharedBroker(): Promise<OwnRabbitmq> {
  if (shared === undefined) throw new Error('useBroker was not called');
  return shared;
}

async function startBroker(tls: RabbitmqTls | undefined, settings: readonly string[]): Promise<OwnRabbitmq> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-rabbitmq-'));
  // Its user must reach its directory.
  await chmod(directory, 0o755);
  const broker = await OwnRabbitmq.create({
    directory: join(directory, 'broker'),
    settings,
    ...(tls !== undefined && { tls }),
  });
  end = async () => {
    await broker.end();
    await rm(directory, { recursive: true, force: true });
  };
  await broker.start();
  return broker;
}
