import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { freePorts } from '../../../../testkit/free-ports.ts';
import { productIsBuilt, untilReady } from '../../../../testkit/product.ts';
import { testPair } from '../../../support/processes.ts';

const WINDOW = 128;
const MESSAGES = 12_000;
const ROUNDS = 5;
const SLOW = { timeout: 60_000, interval: 50 };

/** A client like librelp: after a broken connection it sends the messages without an answer again, in their order. */
class ResendingClient {
  answered = 0;
  resent = 0;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends until the connection breaks, or everything is answered. */
  async session(): Promise<void> {
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    socket.on('error', () => {});
    let next = this.answered;
    let txnr = 1;
    let received = '';
    const send = () => {
      for (; next < MESSAGES && next - this.answered < WINDOW; next++)
        socket.write(encodeRelpFrame(++txnr, 'syslog', `<13>{"id":${next}}`));
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const lines = received.split('\n');
      received = lines.pop() ?? '';
      const answers = lines.filter((line) => / rsp 6 200 OK$/.test(line)).length;
      this.answered += answers;
      if (lines.some((line) => /^1 rsp/.test(line)) || answers > 0) send();
      if (this.answered === MESSAGES) socket.destroy();
    });
    socket.write(encodeRelpFrame(1, 'open', 'relp_version=0\ncommands=syslog\n'));
    await new Promise((resolve) => socket.once('close', resolve));
    this.resent += next - this.answered;
  }
}

describe.skipIf(!productIsBuilt())('a collector that is killed', { timeout: 240_000 }, () => {
  it('stores each message with an identity exactly once', async () => {
    const [port = 0] = await freePorts(1);
    const listeners = [{ listen: `relp://127.0.0.1:${port}`, identity: 'json:id' }];
    const pair = await testPair({
      collectorEnv: { COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify(listeners) },
    });
    await untilReady(pair.startAggregator(), pair.aggregatorHttp);
    const client = new ResendingClient(port);
    for (let round = 1; client.answered < MESSAGES; round++) {
      const collector = pair.startCollector();
      await untilReady(collector, pair.collectorHttp);
      const killAt = round <= ROUNDS ? (MESSAGES / (ROUNDS + 1)) * round : Number.POSITIVE_INFINITY;
      const watch = setInterval(() => {
        if (client.answered >= killAt) collector.signal('SIGKILL');
      }, 1);
      await client.session();
      clearInterval(watch);
      if (client.answered < MESSAGES) await collector.exited;
    }
    expect(client.resent).toBeGreaterThan(0);
    const ids = async () => {
      const text = await readFile(pair.outputPath, 'utf8').catch(() => '');
      return [...text.matchAll(/"id":([0-9]+)/g)].map(([, id]) => Number(id));
    };
    await vi.waitFor(async () => expect(new Set(await ids()).size).toBe(MESSAGES), SLOW);
    expect(await ids()).toHaveLength(MESSAGES);
  });
});
