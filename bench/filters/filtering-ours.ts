import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../testkit/free-ports.ts';
import { productIsBuilt, startProduct, untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { FilterContender, FilterCourse } from './filter-contender.ts';

type Parser = 'grok' | 'combined';

const FILTERS: Readonly<Record<Parser, string>> = {
  grok: `if grok("NGINX_ACCESS") {
  drop if url.original starts_with "/health"
  if http.response.status_code >= 500 { [failed] := true }
}
`,
  combined: `drop if url.path starts_with "/health"
if http.response.status_code >= 500 { [failed] := true }
`,
};

interface OutputLine {
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
}

/**
 * mega-collector in one process, with its queue and its flushes. `grok`: the filter parses plain lines. `combined`: the
 * format of the source has the fields already.
 */
export function filteringOurs(parser: Parser): FilterContender {
  return {
    name: parser === 'grok' ? 'mega-collector, grok in the filter' : 'mega-collector, format combined',
    key: `ours-${parser}`,
    prepare() {
      if (!productIsBuilt()) return Promise.reject(new Error('dist/ is not built'));
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      return Promise.resolve(version);
    },
    start: (course) => startStandalone(parser, course),
    read(line) {
      const { attributes } = line as OutputLine;
      const path = attributes['url.original'] ?? `${attributes['url.path']}?${attributes['url.query']}`;
      const status = Number(attributes['http.response.status_code']);
      return { path: String(path), status, isMarked: attributes.failed === true };
    },
  };
}

async function startStandalone(parser: Parser, course: FilterCourse): Promise<RunningProcess> {
  const { directory, logDirectory, outputPath } = course;
  const filters = join(directory, 'filters');
  await mkdir(filters, { recursive: true });
  await writeFile(join(filters, 'web.filter'), FILTERS[parser]);
  const [aggregatorHttp = '', collectorHttp = ''] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  const format = parser === 'grok' ? 'plain' : 'combined';
  const standalone = startProduct({
    subcommand: 'standalone',
    env: {
      COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([{ paths: [join(logDirectory, '*.log')], format }]),
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
      COLLECTOR_HTTP_ADDRESS: collectorHttp,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
      AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
      // By default the last records, too few for a full batch, would wait 15 s.
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms',
      AGGREGATOR_FILTER_DIRECTORY: filters,
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: outputPath, format: 'json', filter: 'web' }),
    },
  });
  try {
    await untilReady(standalone, aggregatorHttp);
    await untilReady(standalone, collectorHttp);
  } catch (error) {
    await standalone.kill();
    throw error;
  }
  return standalone;
}
