import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../testkit/free-ports.ts';
import { productIsBuilt, startProduct, untilReady } from '../../testkit/product.ts';
import type { Contender } from '../contender.ts';

/**
 * mega-collector with default settings except one: by default the last records of the log, too few for a full
 * batch, would wait 15 s for more. The other contenders also write available data at once.
 */
export function ours(compression?: 'lz4'): Contender {
  return {
    name: compression === undefined ? 'mega-collector' : `mega-collector, ${compression}`,
    key: compression === undefined ? 'ours' : `ours-${compression}`,
    prepare() {
      if (!productIsBuilt()) return Promise.reject(new Error('dist/ is not built'));
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      return Promise.resolve(version);
    },
    async start({ directory, logDirectory, outputPath, receiverPort, connectPort }) {
      const [aggregatorHttp, collectorHttp] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`) as [
        string,
        string,
      ];
      const receiver = startProduct({
        subcommand: 'aggregator',
        env: {
          AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${receiverPort}`,
          AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
          AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
          AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: outputPath }),
          AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms',
        },
      });
      await untilReady(receiver, aggregatorHttp);
      const sender = startProduct({
        subcommand: 'collector',
        env: {
          COLLECTOR_TAIL: join(logDirectory, '*.log'),
          COLLECTOR_AGGREGATOR_ADDRESS: `127.0.0.1:${connectPort}`,
          COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
          COLLECTOR_HTTP_ADDRESS: collectorHttp,
          ...(compression !== undefined && { COLLECTOR_COMPRESSION: compression }),
        },
      });
      await untilReady(sender, collectorHttp);
      return { sender, receiver };
    },
  };
}
