import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRelpConfiguration } from '../../../src/emitters/relp/configuration.ts';
import { RelpEmitter } from '../../../src/emitters/relp/relp-emitter.ts';
import { tryConnection } from '../../../src/emitters/relp/try-connection.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { sliceRecords } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { RelpServer, type RelpServerPlan } from '../../support/relp-server.ts';

const going = new AbortController().signal;

async function started(settings: Record<string, unknown>, clock = systemClock) {
  const [configured] = parseRelpConfiguration(JSON.stringify({ message: 'raw', ...settings }));
  if (configured === undefined) throw new Error('nothing configured');
  const environment = emitterEnvironment({ name: 'relp', clock });
  const emitter = new RelpEmitter(configured.configuration, environment);
  onTestFinished(() => emitter.stop(AbortSignal.abort()));
  await emitter.start();
  const counter = async (name: string) =>
    (await environment.metrics.getSingleMetric(`aggregator_emitter_relp_${name}_total`)?.get())?.values[0]
      ?.value ?? 0;
  return { emitter, counter };
}

async function pair(plan: RelpServerPlan = {}, settings: Record<string, unknown> = {}) {
  const server = await RelpServer.start(plan);
  return { server, ...(await started({ address: `relp://127.0.0.1:${server.port}`, ...settings })) };
}

const texts = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);
const numberOf = (data: string) => Number(data.split(' ')[1]);
const delivered = { kind: 'delivered' };

describe('delivers', () => {
  it('a batch in order over one session, and further batches over the same', async () => {
    const { server, emitter, counter } = await pair();
    const whole = recordBatch(lines(1000));
    for (const [from, to] of [
      [0, 700],
      [700, 1000],
    ] as const) {
      expect(await emitter.emit(batchOf([sliceRecords(whole, from, to)]), going)).toEqual(delivered);
      expect(server.accepted).toEqual(texts(to));
    }
    expect(await emitter.flush()).toEqual(delivered);
    await emitter.stop(AbortSignal.timeout(5000));
    expect(server.commands.filter((command) => !command.endsWith('syslog'))).toEqual([
      '1 open',
      '1002 close',
    ]);
    expect(await counter('messages')).toBe(1000);
  });

  it('only after every answer', async () => {
    const held: (() => void)[] = [];
    const { server, emitter } = await pair({
      message: (connection, txnr, data) => void held.push(() => connection.accept(txnr, data)),
    });
    let isSettled = false;
    const emitted = emitter.emit(batchOf([recordBatch(lines(3))]), going).finally(() => (isSettled = true));
    await expect.poll(() => held.length).toBe(3);
    held.shift()?.();
    held.shift()?.();
    await expect.poll(() => server.accepted.length).toBe(2);
    expect(isSettled).toBe(false);
    held.shift()?.();
    expect(await emitted).toEqual(delivered);
  });

  it('at most a window ahead of the answers', async () => {
    let unanswered = 0;
    let most = 0;
    const { server, emitter } = await pair(
      {
        message: (connection, txnr, data) => {
          most = Math.max(most, ++unanswered);
          setImmediate(() => {
            unanswered--;
            connection.accept(txnr, data);
          });
        },
      },
      { window: 7 },
    );
    expect(await emitter.emit(batchOf([recordBatch(lines(200))]), going)).toEqual(delivered);
    expect(server.accepted).toEqual(texts(200));
    expect(most).toBe(7);
  });

  it('with answers in reverse order', async () => {
    const held: (() => void)[] = [];
    const { server, emitter } = await pair({
      message: (connection, txnr, data) => {
        held.push(() => connection.accept(txnr, data));
        if (held.length === 10) for (const answer of held.reverse()) answer();
      },
    });
    expect(await emitter.emit(batchOf([recordBatch(lines(10))]), going)).toEqual(delivered);
    expect(server.accepted).toEqual(texts(10).reverse());
  });

  it('over TLS, and returns retry for an authority that is not trusted', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate, key, caCertificate } = await authority.issue({ name: 'localhost' });
    const server = await RelpServer.start({ tls: { cert: certificate, key } });
    const address = `relp+tls://localhost:${server.port}`;
    const { emitter } = await started({ address, ca: caCertificate });
    expect(await emitter.emit(batchOf([recordBatch(lines(5))]), going)).toEqual(delivered);
    expect(server.accepted).toEqual(texts(5));
    const { emitter: other } = await started({ address });
    expect(await other.emit(batchOf([recordBatch(lines(1))]), going)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining(`${address}: TLS:`),
    });
  });

  it('over a new connection when the server has closed an idle one', async () => {
    const { server, emitter } = await pair();
    await emitter.emit(batchOf([recordBatch(lines(1))]), going);
    server.connections[0]?.send('0 serverclose 0\n');
    server.connections[0]?.socket.end();
    await expect.poll(() => server.connections[0]?.socket.destroyed).toBe(true);
    expect(await emitter.emit(batchOf([recordBatch(lines(1))]), going)).toEqual(delivered);
    expect(server.connections.length).toBe(2);
  });
});

describe('rejects', () => {
  it('each record alone that the server rejects, and sends the others once', async () => {
    const { server, emitter, counter } = await pair({
      message: (connection, txnr, data) =>
        numberOf(data) % 4 === 1 ? connection.respond(txnr, '500 not valid') : connection.accept(txnr, data),
    });
    const slices = [recordBatch(lines(5)), recordBatch(lines(6))];
    expect(await emitter.emit(batchOf(slices), going)).toEqual({
      kind: 'rejected',
      reason: `relp://127.0.0.1:${server.port}: the server rejected the message: 500 not valid`,
      records: [1, 6, 10],
    });
    // Delivery emits the others again.
    const [first, second] = slices;
    if (first === undefined || second === undefined) throw new Error('no slices');
    const rest = [
      sliceRecords(first, 0, 1),
      sliceRecords(first, 2, 5),
      sliceRecords(second, 0, 1),
      sliceRecords(second, 2, 5),
    ];
    expect(await emitter.emit(batchOf(rest), going)).toEqual(delivered);
    expect(server.accepted).toEqual(['0', '2', '3', '4', '0', '2', '3', '4'].map((index) => `line ${index}`));
    expect(await counter('rejected_messages')).toBe(3);
  });
});

describe('returns retry, and sends exactly the unanswered records again, in order', () => {
  const breaks: Record<string, RelpServerPlan['message']> = {
    'when the connection is reset': (connection) => connection.socket.resetAndDestroy(),
    'when the connection is closed': (connection) => connection.socket.end(),
    'when the server sends serverclose': (connection) => {
      connection.send('0 serverclose 0\n');
    },
    'when a response answers no command': (connection) => connection.respond(999, '200 OK'),
    'when a response has no status code': (connection, txnr) => connection.respond(txnr, 'OK'),
    'when the response is no RELP frame': (connection) => connection.send('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'when a response is endless': (connection, txnr) => connection.send(`${txnr} rsp 99999999 200 OK`),
    'when the server sends another command': (connection) => connection.send('5 syslog 1 x\n'),
  };

  it.each(Object.entries(breaks))('%s', async (name, misbehave) => {
    const { server, emitter } = await pair(
      {
        message: (connection, txnr, data) => {
          if (numberOf(data) < 5) {
            connection.accept(txnr, data);
            return;
          }
          connection.isDeaf = true;
          misbehave?.(connection, txnr, data);
        },
      },
      { window: 10 },
    );
    const batch = batchOf([recordBatch(lines(50))]);
    expect(await emitter.emit(batch, going)).toMatchObject({ kind: 'retry' });
    expect(server.accepted).toEqual(texts(5));
    server.plan = {};
    expect(await emitter.emit(batch, going)).toEqual(delivered);
    const again = server.accepted.slice(5);
    expect(again).toEqual(texts(50).slice(50 - again.length));
    // A reset can discard answers before the client reads them.
    if (name !== 'when the connection is reset') expect(again.length).toBe(45);
    expect(again.length).toBeGreaterThanOrEqual(45);
    expect(server.connections[1]?.commands.slice(0, 2)).toEqual(['1 open', '2 syslog']);
  });

  it('when no answer comes within the time limit', async () => {
    const clock = new FakeClock();
    const server = await RelpServer.start({
      message: (connection, txnr, data) => {
        if (numberOf(data) < 5) connection.accept(txnr, data);
      },
    });
    const { emitter } = await started({ address: `relp://127.0.0.1:${server.port}` }, clock);
    const batch = batchOf([recordBatch(lines(8))]);
    const emitted = emitter.emit(batch, going);
    await expect.poll(() => server.commands.length).toBe(9);
    await expect
      .poll(async () => {
        await clock.advance(30_000);
        return server.connections[0]?.socket.destroyed;
      })
      .toBe(true);
    expect(await emitted).toEqual({
      kind: 'retry',
      reason: `relp://127.0.0.1:${server.port}: no RELP answer within 90000 ms`,
    });
    server.plan = {};
    expect(await emitter.emit(batch, going)).toEqual(delivered);
    expect(server.accepted).toEqual(texts(8));
  });

  it('when the signal is aborted', async () => {
    const { server, emitter } = await pair({ message: () => {} });
    const stopping = new AbortController();
    const emitted = emitter.emit(batchOf([recordBatch(lines(3))]), stopping.signal);
    await expect.poll(() => server.commands.length).toBe(4);
    stopping.abort();
    expect(await emitted).toMatchObject({ kind: 'retry', reason: expect.stringContaining('aborted') });
  });
});

describe('returns retry', () => {
  it.each<readonly [string, RelpServerPlan['open'], string]>([
    [
      'rejects the session',
      (to, txnr) => to.respond(txnr, '500 go away'),
      'rejected the session: 500 go away',
    ],
    [
      'offers no syslog',
      (to, txnr) => to.respond(txnr, '200 OK\ncommands=x'),
      'does not offer the command syslog',
    ],
    ['closes each session', (to) => to.send('0 serverclose 0\n'), 'serverclose'],
    ['closes the connection', (to) => void to.socket.end(), 'the receiver closed the connection'],
  ])('from a server that %s', async (_, open, reason) => {
    const { emitter, counter } = await pair(open === undefined ? {} : { open });
    const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), going);
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining(reason) });
    expect(await counter('failures')).toBe(1);
  });

  it('while nothing is listening', async () => {
    const port = await freePort();
    const { emitter } = await started({ address: `relp://127.0.0.1:${port}` });
    expect(await emitter.emit(batchOf([recordBatch(lines(1))]), going)).toEqual({
      kind: 'retry',
      reason: `relp://127.0.0.1:${port}: nothing is listening (connection refused)`,
    });
  });

  it('from a server that closes after the session was opened, every time', async () => {
    const { emitter } = await pair({
      open: (connection, txnr) => {
        connection.acceptOpen(txnr);
        connection.send('0 serverclose 0\n');
      },
    });
    expect(await emitter.emit(batchOf([recordBatch(lines(1))]), going)).toMatchObject({ kind: 'retry' });
  });
});

it('tries a connection without a message', async () => {
  const server = await RelpServer.start();
  const [configured] = parseRelpConfiguration(JSON.stringify({ address: `relp://127.0.0.1:${server.port}` }));
  if (configured === undefined) throw new Error('nothing configured');
  const trial = await tryConnection(configured.configuration, { clock: systemClock, signal: going });
  expect(trial).toEqual({ target: `RELP relp://127.0.0.1:${server.port}` });
  expect(server.commands).toEqual(['1 open', '2 close']);
});
