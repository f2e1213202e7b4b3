import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../testkit/free-ports.ts';
import { untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { migrationPage, withReplacements } from './migration-pages.ts';
import { testProduct } from './processes.ts';

/** The directories of a test in the place of those of the pages. */
export interface MigratedHost {
  readonly directory: string;
  /** `/var/log/shop` of the pages. */
  readonly logs: string;
  /** `/var/log/central` of the pages. */
  readonly central: string;
}

export async function layOutHost(directory: string): Promise<MigratedHost> {
  const host = { directory, logs: join(directory, 'shop'), central: join(directory, 'central') };
  for (const path of [host.logs, host.central]) await mkdir(path, { recursive: true });
  return host;
}

/** The first two of our configurations of a page, running: its collector and its aggregator. */
export async function startOurs(page: string, host: MigratedHost): Promise<RunningProcess> {
  const [collectorText = '', aggregatorText = ''] = migrationPage(page).ours.map(({ text }) => text);
  const at = (name: string) => join(host.directory, name);
  const hasFiles = aggregatorText.includes('/var/log/central');
  await writeFile(at('collector.yaml'), withReplacements(collectorText, { '/var/log/shop': host.logs }));
  await writeFile(
    at('aggregator.yaml'),
    withReplacements(aggregatorText, hasFiles ? { '/var/log/central': host.central } : {}),
  );
  const [listen = '', aggregatorHttp = '', collectorHttp = ''] = (await freePorts(3)).map(
    (port) => `127.0.0.1:${port}`,
  );
  const aggregator = testProduct({
    subcommand: 'aggregator',
    args: ['--config', at('aggregator.yaml')],
    env: {
      AGGREGATOR_LISTEN_ADDRESS: listen,
      AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
      AGGREGATOR_STATE_DIRECTORY: at('aggregator'),
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms',
    },
  });
  const collector = testProduct({
    subcommand: 'collector',
    args: ['--config', at('collector.yaml')],
    env: {
      COLLECTOR_AGGREGATOR_ADDRESS: listen,
      COLLECTOR_HTTP_ADDRESS: collectorHttp,
      COLLECTOR_STATE_DIRECTORY: at('collector'),
    },
  });
  await Promise.all([untilReady(aggregator, aggregatorHttp), untilReady(collector, collectorHttp)]);
  return aggregator;
}

/** One of our configurations in one process, ready, with other values in the place of those of the page. */
export async function startStandalone(
  { directory }: MigratedHost,
  text: string,
  replacements: Readonly<Record<string, string>>,
): Promise<void> {
  const path = join(directory, 'standalone.yaml');
  await writeFile(path, withReplacements(text, replacements));
  const [aggregatorHttp = '', collectorHttp = ''] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  const standalone = testProduct({
    subcommand: 'standalone',
    args: ['--config', path],
    env: {
      AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
      COLLECTOR_HTTP_ADDRESS: collectorHttp,
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
    },
  });
  await untilReady(standalone, collectorHttp);
}

/** The lines of all files in a directory. The last one may be incomplete. */
export async function linesOf(directory: string): Promise<readonly string[]> {
  const texts = (await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8'));
  return (await Promise.all(texts)).flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
