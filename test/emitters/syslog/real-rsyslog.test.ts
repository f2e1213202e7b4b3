import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSyslogConfiguration } from '../../../src/emitters/syslog/configuration.ts';
import { SyslogEmitter } from '../../../src/emitters/syslog/syslog-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../../support/log-daemons.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const rsyslog = findLogDaemon('rsyslog');
const going = new AbortController().signal;
const TIMEOUT_MS = 60_000;

describe.skipIf(rsyslog === undefined)('real rsyslog', { timeout: 120_000 }, () => {
  const daemon = rsyslog as LogDaemon;

  it.each([
    ['TCP, octet-counted RFC 5424', 'tcp', {}],
    ['TCP, RFC 3164 in lines', 'tcp', { message: 'rfc3164', framing: 'lf' }],
    ['UDP, RFC 5424', 'udp', {}],
    ['UDP, RFC 3164', 'udp', { message: 'rfc3164' }],
  ])('receives every record with its fields over %s', async (_, transport, settings) => {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const path = join(directory, 'messages');
    await startLogDaemon(
      daemon,
      directory,
      `
module(load="im${transport}")
input(type="im${transport}" port="${port}" address="127.0.0.1")
template(name="fields" type="string" string="%pri%|%timereported:::date-rfc3164%|%hostname%|%programname%|%procid%|%msg%\\n")
action(type="omfile" file="${path}" template="fields")
`,
    );
    const value = { address: `${transport}://127.0.0.1:${port}`, facility: 'mail', ...settings };
    const [configured] = parseSyslogConfiguration(JSON.stringify(value));
    if (configured === undefined) throw new Error('nothing configured');
    const environment = emitterEnvironment({ name: 'syslog', clock: systemClock });
    const emitter = new SyslogEmitter(configured.configuration, environment);
    onTestFinished(() => emitter.stop(AbortSignal.abort()));
    await emitter.start();
    const resource = new Map([
      ['host.name', 'web1'],
      ['service.name', 'shop'],
      ['process.pid', '42'],
    ]);
    const records = Array.from({ length: 20 }, (__, index) => `number ${index}\n`);
    const batch = batchOf([recordBatch(records, { resource })]);
    const attempt = async () => {
      const outcome = await emitter.emit(batch, going);
      return outcome.kind === 'delivered' ? (await emitter.flush(going)).kind : outcome.kind;
    };
    const lines = async () => (existsSync(path) ? await readFile(path, 'utf8') : '').split('\n').slice(0, -1);
    // Until rsyslog listens, nothing arrives: over UDP this is not always reported.
    await expect
      .poll(async () => (await attempt()) === 'delivered' && (await lines()).length > 0, {
        timeout: TIMEOUT_MS,
        interval: 100,
      })
      .toBe(true);
    const expected = records.map((record) => `22|Nov 14 22:13:20|web1|shop|42|${record.trim()}`);
    await expect
      .poll(async () => [...new Set((await lines()).map((line) => line.replace('| ', '|')))], {
        timeout: TIMEOUT_MS,
      })
      .toEqual(expected);
  });
});
