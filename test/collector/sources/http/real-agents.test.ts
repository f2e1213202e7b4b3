import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { findFluentBit } from '../../../support/fluent-bit.ts';
import { findLogDaemon, startLogDaemon } from '../../../support/log-daemons.ts';
import { openedHttpSource, PATIENT } from '../../../support/opened-http-source.ts';
import { testProcess } from '../../../support/processes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const fluentBit = findFluentBit(['http', 'loki', 'es', 'splunk']);
const rsyslog = findLogDaemon('rsyslog', 'omelasticsearch');
const TOKEN = 'secret-token';
const RECORDS = 20;

/** A listener that requires a token. */
async function openedWithToken() {
  const path = join(await temporaryDirectory(), 'tokens');
  await writeFile(path, TOKEN);
  const source = await openedHttpSource([{ listen: 'http://127.0.0.1:0', token_file: path }]);
  const [host = '', port = ''] = source.address().split(':');
  return { source, host, port };
}

describe.skipIf(fluentBit === undefined)('Fluent Bit', { timeout: 60_000 }, () => {
  const outputs: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
    [
      'http',
      `uri /v1/push\n  format json\n  http_user any\n  http_passwd ${TOKEN}`,
      { 'network.peer.address': '127.0.0.1' },
    ],
    [
      'http',
      `uri /v1/push\n  format json_lines\n  compress gzip\n  http_user any\n  http_passwd ${TOKEN}`,
      {},
    ],
    [
      'loki',
      `labels service_name=shop\n  line_format json\n  http_user any\n  http_passwd ${TOKEN}`,
      { 'service.name': 'shop' },
    ],
    [
      'es',
      `index shop\n  suppress_type_name on\n  http_user any\n  http_passwd ${TOKEN}`,
      { 'elasticsearch.index': 'shop' },
    ],
    [
      'splunk',
      `splunk_token ${TOKEN}\n  event_host web1\n  event_sourcetype shop`,
      { 'host.name': 'web1', 'com.splunk.sourcetype': 'shop' },
    ],
  ];

  test.each(outputs)('sends with its output %s %#', async (name, options, attributes) => {
    const { source, host, port } = await openedWithToken();
    const directory = await temporaryDirectory();
    const input = join(directory, 'input.log');
    const lines = Array.from({ length: RECORDS }, (_, index) =>
      JSON.stringify({ message: `order ${index} é "x"`, level: 'error', order: index }),
    );
    await writeFile(input, `${lines.join('\n')}\n`);
    const parsers = join(directory, 'parsers.conf');
    await writeFile(parsers, '[PARSER]\n  name json\n  format json\n');
    const configuration = join(directory, 'fluent-bit.conf');
    await writeFile(
      configuration,
      `[SERVICE]\n  flush 0.2\n  grace 1\n  parsers_file ${parsers}\n[INPUT]\n  name tail\n  path ${input}\n  read_from_head on\n  parser json\n[OUTPUT]\n  name ${name}\n  match *\n  host ${host}\n  port ${port}\n  ${options}\n`,
    );
    const agent = testProcess({
      name: 'fluent-bit',
      command: fluentBit ?? '',
      args: ['--config', configuration, '--quiet'],
    });
    await vi.waitFor(() => expect(source.records()).toHaveLength(RECORDS), PATIENT);
    await agent.stop();
    const records = source.records();
    expect(records.map(({ body }) => body).toSorted()).toEqual(
      Array.from({ length: RECORDS }, (_, index) => `order ${index} é "x"`).toSorted(),
    );
    for (const record of records) {
      expect(record.severityNumber).toBe(17);
      expect(record.timeUnixNano).toBeGreaterThan(1_700_000_000_000_000_000n);
      expect(Object.fromEntries(record.attributes)).toMatchObject({
        order: expect.any(Number),
        ...attributes,
      });
    }
  });
});

describe.skipIf(rsyslog === undefined)('rsyslog', { timeout: 60_000 }, () => {
  test('sends with omelasticsearch in bulk', async () => {
    if (rsyslog === undefined) return;
    const { source, host, port } = await openedWithToken();
    const directory = await temporaryDirectory();
    const input = join(directory, 'input.log');
    await writeFile(input, Array.from({ length: RECORDS }, (_, index) => `order ${index}\n`).join(''));
    await mkdir(join(directory, 'work'));
    const configuration = `
global(workDirectory="${join(directory, 'work')}" processInternalMessages="off")
module(load="imfile") module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
input(type="imfile" file="${input}" tag="shop:" readMode="0")
action(type="omelasticsearch" server="${host}" serverport="${port}" template="document" searchIndex="shop"
  searchType="" bulkmode="on" uid="any" pwd="${TOKEN}" action.resumeRetryCount="-1")
`;
    await startLogDaemon(rsyslog, directory, configuration);
    await vi.waitFor(() => expect(source.records()).toHaveLength(RECORDS), PATIENT);
    const [first] = source.records();
    expect(first).toMatchObject({ format: 'http-elasticsearch', body: expect.stringMatching(/^order \d+$/) });
    expect(first?.attributes.get('elasticsearch.index')).toBe('shop');
    expect(first?.timeUnixNano).toBeDefined();
  });
});
