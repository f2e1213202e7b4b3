import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { OwnRabbitmq, type RabbitmqTls } from '../../testkit/own-rabbitmq.ts';

/** Why the tests with a broker are skipped; undefined: they are not. */
export const MISSING_RABBITMQ = OwnRabbitmq.isInstalled()
  ? undefined
  : 'RabbitMQ is not installed (apt-get install rabbitmq-server)';

let shared: Promise<OwnRabbitmq> | undefined;
let end: () => Promise<void> = async () => {};

// Registered when the file is imported: a hook cannot be added by a test that runs.
afterAll(() => end(), 60_000);

/** One broker for all tests of a file: its start takes seconds. */
export function sharedBroker(tls?: RabbitmqTls): Promise<OwnRabbitmq> {
  shared ??= startBroker(tls);
  return shared;
}

async function startBroker(tls: RabbitmqTls | undefined): Promise<OwnRabbitmq> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-rabbitmq-'));
  const broker = await OwnRabbitmq.create({
    directory: join(directory, 'broker'),
    ...(tls !== undefined && { tls }),
  });
  end = async () => {
    await broker.end();
    await rm(directory, { recursive: true, force: true });
  };
  // Its user must reach its directory.
  await chmod(directory, 0o755);
  await broker.start();
  return broker;
}
