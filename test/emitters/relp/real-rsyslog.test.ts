import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRelpConfiguration } from '../../../src/emitters/relp/configuration.ts';
import { RelpEmitter } from '../../../src/emitters/relp/relp-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../../support/log-daemons.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const rsyslog = findLogDaemon('rsyslog', 'imrelp');
const going = new AbortController().signal;
const TIMEOUT_MS = 60_000;

describe.skipIf(rsyslog === undefined)('real rsyslog', { timeout: 120_000 }, () => {
  const daemon = rsyslog as LogDaemon;

  /** The start of an rsyslog that writes each message to a file; `input` has further parameters of imrelp. */
  async function layOut(input = '') {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const path = join(directory, 'messages');
    const configuration = `
# Without a queue, rsyslog answers only after the write: a killed rsyslog loses its queue in memory.
main_queue(queue.type="direct")
module(load="imrelp")
input(type="imrelp" port="${port}" address="127.0.0.1" ${input})
template(name="fields" type="string" string="%pri%|%timereported:::date-rfc3339%|%hostname%|%app-name%|%procid%|%structured-data%|%msg:::drop-last-lf%\\n")
action(type="omfile" file="${path}" template="fields")
`;
    const start = () => startLogDaemon(daemon, directory, configuration);
    const messages = async () =>
      (existsSync(path) ? await readFile(path, 'utf8') : '').split('\n').slice(0, -1);
    return { start, messages, port, directory };
  }

  async function started(settings: Record<string, unknown>): Promise<RelpEmitter> {
    const [configured] = parseRelpConfiguration(JSON.stringify(settings));
    if (configured === undefined) throw new Error('nothing configured');
    const emitter = new RelpEmitter(
      configured.configuration,
      emitterEnvironment({ name: 'relp', clock: systemClock }),
    );
    onTestFinished(() => emitter.stop(AbortSignal.abort()));
    await emitter.start();
    return emitter;
  }

  /** Repeats a batch until it is delivered, as delivery does. */
  async function deliver(emitter: RelpEmitter, records: readonly string[]): Promise<void> {
    const batch = batchOf([recordBatch(records)]);
    await expect
      .poll(async () => (await emitter.emit(batch, going)).kind, { timeout: TIMEOUT_MS, interval: 50 })
      .toBe('delivered');
  }

  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `number ${from + index}\n`);
  const textOf = (line: string) => line.split('|').at(-1)?.trim();

  it('receives all fields of every record', async () => {
    const { start, messages, port } = await layOut();
    await start();
    const emitter = await started({
      address: `relp://127.0.0.1:${port}`,
      facility: 'local0',
      severity: 'warning',
      app: 'shop',
      identify: true,
    });
    await deliver(emitter, numbers(0, 500));
    await expect.poll(async () => (await messages()).length, { timeout: TIMEOUT_MS }).toBe(500);
    const lines = await messages();
    expect(lines[0]).toMatch(
      /^132\|2023-11-14T22:13:20\.000000Z\|test-host\|shop\|-\|\[megacollector@32473 stream="[0-9a-f]{32}" position="0"\]\| ?number 0$/,
    );
    expect(lines.map(textOf)).toEqual(numbers(0, 500).map((line) => line.trim()));
  });

  it('receives records over TLS', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate, key, caCertificate } = await authority.issue({ name: 'localhost' });
    const directory = await temporaryDirectory();
    const file = async (name: string, text: string) => {
      await writeFile(join(directory, name), text);
      return join(directory, name);
    };
    const [ca, cert, own] = await Promise.all([
      file('ca.pem', caCertificate),
      file('cert.pem', certificate),
      file('key.pem', key),
    ]);
    const { start, messages, port } = await layOut(
      `tls="on" tls.authMode="certvalid" tls.caCert="${ca}" tls.myCert="${cert}" tls.myPrivKey="${own}"`,
    );
    await start();
    const address = `relp+tls://localhost:${port}`;
    const emitter = await started({ address, ca_file: ca, certificate_file: cert, key_file: own });
    await deliver(emitter, numbers(0, 100));
    await expect
      .poll(async () => (await messages()).map(textOf), { timeout: TIMEOUT_MS })
      .toEqual(numbers(0, 100).map((line) => line.trim()));
  });

  it('misses nothing when it is killed and started again', async () => {
    const { start, messages, port } = await layOut();
    let running = await start();
    const emitter = await started({ address: `relp://127.0.0.1:${port}` });
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      const from = round * 2000;
      const delivering = deliver(emitter, numbers(from, from + 2000));
      await expect.poll(async () => (await messages()).length, { timeout: TIMEOUT_MS }).toBeGreaterThan(from);
      // In the middle of a batch, except when the machine was faster.
      await running.kill();
      running = await start();
      await delivering;
    }
    const expected = numbers(0, rounds * 2000).map((line) => line.trim());
    await expect
      .poll(
        async () => {
          const received = new Set((await messages()).map(textOf));
          return expected.filter((text) => !received.has(text)).length;
        },
        { timeout: TIMEOUT_MS },
      )
      .toBe(0);
  });
});
