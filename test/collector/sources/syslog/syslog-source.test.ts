import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { openedSource, PATIENT } from './opened-source.ts';

const TCP = 'tcp://127.0.0.1:0';
const UDP = 'udp://127.0.0.1:0';
const RELP = 'relp://127.0.0.1:0';

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** A RELP client that has sent its open, and everything that it received. */
async function relpClient(port: number) {
  const socket = await connected(port);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.write(encodeRelpFrame(1, 'open', 'relp_version=0\ncommands=syslog\n'));
  await vi.waitFor(() => expect(received).toMatch(/^1 rsp [0-9]+ 200 OK\n/), PATIENT);
  received = '';
  const send = (txnr: number, text: string) => socket.write(encodeRelpFrame(txnr, 'syslog', text));
  return { socket, send, received: () => received };
}

describe('the source syslog', () => {
  it('receives both framings over TCP, with the peer as attributes', async () => {
    const { port, texts, records } = await openedSource([{ listen: TCP }]);
    const socket = await connected(port(TCP));
    const { localPort } = socket;
    socket.write('<13>one\n12 <13>two\nmore<13>three');
    socket.end();
    await vi.waitFor(() => expect(texts()).toEqual(['<13>one', '<13>two\nmore', '<13>three']), PATIENT);
    expect(records()[0]?.attributes.get('network.peer.address')).toBe('127.0.0.1');
    expect(records()[0]?.attributes.get('network.peer.port')).toBe(String(localPort));
    expect(records()[0]?.attributes.get('network.transport')).toBe('tcp');
    expect(records()[1]?.attributes.has('megacollector.record_mark')).toBe(false);
    expect(records()[2]?.attributes.get('megacollector.record_mark')).toBe('unterminated');
  });

  it('keeps the records of many peers in one batch', async () => {
    const { port, texts, taken, sink } = await openedSource([{ listen: UDP }]);
    sink.paused = true;
    const sockets = Array.from({ length: 50 }, () => createSocket('udp4'));
    onTestFinished(() => void sockets.map((socket) => socket.close()));
    for (let round = 0; round < 4; round++)
      for (const [index, socket] of sockets.entries())
        await new Promise((resolve) =>
          socket.send(`<13>${round} ${index}\n\0`, port(UDP), '127.0.0.1', resolve),
        );
    sink.paused = false;
    await vi.waitFor(() => expect(texts()).toHaveLength(200), PATIENT);
    expect(new Set(texts()).size).toBe(200);
    expect(taken.batches.length).toBeLessThan(20);
    const [first] = taken.batches;
    expect(first?.peers?.length).toBeGreaterThan(1);
  });

  it('answers RELP messages when they are on disk, in order', async () => {
    const { port, texts } = await openedSource([{ listen: RELP }]);
    const { send, received, socket } = await relpClient(port(RELP));
    for (let i = 2; i < 102; i++) send(i, `<13>message ${i}\n`);
    socket.write('102 close 0\n');
    const answers = Array.from({ length: 100 }, (_, i) => `${i + 2} rsp 6 200 OK\n`).join('');
    await vi.waitFor(() => expect(received()).toBe(`${answers}102 rsp 0\n0 serverclose 0\n`), PATIENT);
    await vi.waitFor(() => expect(texts()).toHaveLength(100), PATIENT);
    expect(texts()[0]).toBe('<13>message 2');
  });

  it('marks the messages that a RELP client sends again', async () => {
    const { port, records, metric } = await openedSource([{ listen: RELP }]);
    const first = await relpClient(port(RELP));
    for (const i of [2, 3, 4]) first.send(i, `<13>message ${i}`);
    await vi.waitFor(() => expect(first.received()).toContain('4 rsp 6 200 OK\n'), PATIENT);
    first.socket.destroy();
    const second = await relpClient(port(RELP));
    for (const [txnr, i] of [
      [2, 3],
      [3, 4],
      [4, 5],
    ] as const)
      second.send(txnr, `<13>message ${i}`);
    await vi.waitFor(() => expect(records()).toHaveLength(6), PATIENT);
    const marked = records().map(({ attributes }) => attributes.get('megacollector.repeated'));
    expect(marked).toEqual([undefined, undefined, undefined, 'true', 'true', undefined]);
    expect(await metric('repeated_records_total')).toBe(2);
  });

  it('marks messages that a client sends again to a restarted collector', async () => {
    const { port, sink, close, state } = await openedSource([{ listen: RELP }]);
    sink.paused = true;
    const first = await relpClient(port(RELP));
    for (const i of [2, 3, 4]) first.send(i, `<13>message ${i}`);
    await vi.waitFor(() => expect(first.received()).toContain('4 rsp 6 200 OK\n'), PATIENT);
    await close();
    const again = await openedSource([{ listen: RELP }], { directory: state });
    const second = await relpClient(again.port(RELP));
    for (const [txnr, i] of [
      [2, 3],
      [3, 4],
      [4, 5],
    ] as const)
      second.send(txnr, `<13>message ${i}`);
    await vi.waitFor(() => expect(again.records()).toHaveLength(6), PATIENT);
    const marked = again.records().map(({ attributes }) => attributes.get('megacollector.repeated'));
    expect(marked).toEqual([undefined, undefined, undefined, 'true', 'true', undefined]);
  });

  it('marks messages that were accepted by the aggregator before the restart', async () => {
    const { port, close, state, records } = await openedSource([{ listen: RELP }]);
    const first = await relpClient(port(RELP));
    for (const i of [2, 3, 4]) first.send(i, `<13>message ${i}`);
    await vi.waitFor(() => expect(records()).toHaveLength(3), PATIENT);
    await close();
    const again = await openedSource([{ listen: RELP }], { directory: state });
    const second = await relpClient(again.port(RELP));
    for (const i of [2, 3, 4, 5]) second.send(i, `<13>message ${i}`);
    await vi.waitFor(() => expect(again.records()).toHaveLength(4), PATIENT);
    const marked = again.records().map(({ attributes }) => attributes.get('megacollector.repeated'));
    expect(marked).toEqual(['true', 'true', 'true', undefined]);
  });

  it('drops and answers a repetition with an identity, also after a restart', async () => {
    const listeners = [{ listen: RELP, identity: 'json:id' }];
    const { port, close, state, texts, metric } = await openedSource(listeners);
    const first = await relpClient(port(RELP));
    const message = (id: number) => `<13>{"id":${id}}`;
    first.send(2, message(1));
    first.send(3, message(1));
    first.send(4, message(2));
    const answers = '2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n';
    await vi.waitFor(() => expect(first.received()).toBe(answers), PATIENT);
    await vi.waitFor(() => expect(texts()).toEqual([message(1), message(2)]), PATIENT);
    expect(await metric('dropped_repetitions_total')).toBe(1);
    await close();
    const again = await openedSource(listeners, { directory: state });
    const second = await relpClient(again.port(RELP));
    for (const id of [1, 2, 3]) second.send(id + 1, message(id));
    await vi.waitFor(() => expect(second.received()).toBe(answers), PATIENT);
    await vi.waitFor(() => expect(again.texts()).toEqual([message(3)]), PATIENT);
  });

  it('reports the state, the clients and the losses of each listener', async () => {
    const used = await openedSource([{ listen: TCP }]);
    const closed = `tcp://127.0.0.1:${used.port(TCP)}`;
    const { port, source, texts } = await openedSource([
      { listen: TCP },
      { listen: UDP },
      { listen: closed },
    ]);
    await connected(port(TCP));
    const client = await connected(port(TCP));
    client.write('<13>one\n<13>two\n');
    const udp = createSocket('udp4');
    onTestFinished(() => void udp.close());
    udp.send('<13>x', port(UDP), '127.0.0.1');
    await vi.waitFor(() => expect(texts()).toHaveLength(3), PATIENT);
    await vi.waitFor(() => expect(source.status().listeners?.[0]?.connections).toBe(2), PATIENT);
    expect(source.status().listeners).toEqual([
      {
        ...{ listener: TCP, state: 'listening', address: `127.0.0.1:${port(TCP)}`, connections: 2 },
        ...{ clients: [{ address: '127.0.0.1', sockets: 2 }], dropped: { noRoom: 0 } },
        ...{ records: 2, bytes: 16 },
      },
      {
        ...{ listener: UDP, state: 'listening', address: `127.0.0.1:${port(UDP)}` },
        clients: [{ address: '127.0.0.1', sockets: 1 }],
        dropped: { noRoom: 0, kernel: 0, thread: 0 },
        ...{ records: 1, bytes: 6 },
      },
      {
        ...{ listener: closed, state: 'closed', failure: expect.stringContaining('EADDRINUSE') },
        ...{ connections: 0, clients: [], dropped: { noRoom: 0 } },
        ...{ records: 0, bytes: 0 },
      },
    ]);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'an HTTP request (GET)'],
    ['POST /logs HTTP/1.1\r\n', 'an HTTP request (POST)'],
    ['\x16\x03\x01\x02\x00\x01', 'a TLS greeting'],
  ])('closes the connection of a wrong peer and names it: %j', async (bytes, found) => {
    const { port, texts, lines } = await openedSource([{ listen: TCP }, { listen: RELP }]);
    for (const listen of [TCP, RELP]) {
      const socket = await connected(port(listen));
      const closed = new Promise((resolve) => socket.on('close', resolve));
      for (const byte of bytes) socket.write(byte, 'latin1');
      await closed;
      await vi.waitFor(() => {
        const warnings = lines.filter((line) => line['level'] === 40 && line['listener'] === listen);
        expect(warnings.map((line) => line['msg'])).toEqual([expect.stringContaining(found)]);
      }, PATIENT);
    }
    expect(texts()).toEqual([]);
  });

  it('keeps lines that only begin like an HTTP request', async () => {
    const { port, texts } = await openedSource([{ listen: TCP }]);
    const socket = await connected(port(TCP));
    socket.end('GET /index.html 200\n');
    await vi.waitFor(() => expect(texts()).toEqual(['GET /index.html 200']), PATIENT);
  });

  it('truncates a long message and marks it', async () => {
    const { port, records } = await openedSource([
      { listen: TCP, max_message: '480B' },
      { listen: RELP, max_message: '480B' },
      { listen: UDP, max_message: '480B' },
    ]);
    const long = `<13>${'x'.repeat(1000)}`;
    (await connected(port(TCP))).write(`${long}\n`);
    (await relpClient(port(RELP))).send(2, long);
    const udp = createSocket('udp4');
    onTestFinished(() => void udp.close());
    udp.send(long, port(UDP), '127.0.0.1');
    await vi.waitFor(() => expect(records()).toHaveLength(3), PATIENT);
    for (const { attributes } of records())
      expect(attributes.get('megacollector.truncated_from')).toBe('1004');
  });

  it('rejects addresses that are not allowed', async () => {
    const { port, texts, metric } = await openedSource([
      { listen: TCP, allow: ['10.0.0.0/8'] },
      { listen: UDP, allow: ['10.0.0.0/8'] },
    ]);
    const socket = await connected(port(TCP));
    await once(socket, 'close');
    const udp = createSocket('udp4');
    onTestFinished(() => void udp.close());
    udp.send('<13>x', port(UDP), '127.0.0.1');
    await vi.waitFor(async () => expect(await metric('rejected_total')).toBe(2), PATIENT);
    expect(texts()).toEqual([]);
  });

  it('explains its listeners, and why it rejected a sender', async () => {
    const { port, source } = await openedSource([{ listen: TCP, allow: ['10.0.0.0/8'] }, { listen: RELP }]);
    const socket = await connected(port(TCP));
    await once(socket, 'close');
    const wrong = await connected(port(RELP));
    wrong.write('GET / HTTP/1.1\r\n\r\n');
    await once(wrong, 'close');
    const reason = 'its address is not in `allow`';
    const rejection = { address: '127.0.0.1', times: 1 };
    expect(await source.explain('syslog')).toMatchObject({
      kind: 'listeners',
      listeners: [
        {
          listener: TCP,
          accepts: 'senders whose address is in `allow`',
          rejected: [{ ...rejection, reason }],
        },
        { listener: RELP, accepts: 'senders of all addresses', rejected: [rejection] },
      ],
    });
    expect(await source.explain(RELP)).toMatchObject({ kind: 'listeners', listeners: [{ listener: RELP }] });
    expect(await source.explain('127.0.0.1')).toMatchObject({
      kind: 'sender',
      listeners: [
        { decision: `rejected: ${reason}`, rejected: { ...rejection, reason } },
        { decision: 'its address is accepted', rejected: { reason: expect.stringContaining('HTTP') } },
      ],
    });
    expect(await source.explain('10.1.2.3')).toMatchObject({
      listeners: [{ decision: 'its address is accepted', sockets: 0 }, {}],
    });
    expect(await source.explain('udp://127.0.0.1:1')).toMatchObject({ kind: 'not-read' });
    expect(await source.explain('/var/log/syslog')).toBeUndefined();
  });

  it('rejects connections above the limit', async () => {
    const { port, metric } = await openedSource([{ listen: TCP, max_connections: 1 }]);
    await connected(port(TCP));
    const second = await connected(port(TCP));
    await once(second, 'close');
    expect(await metric('rejected_total')).toBe(1);
  });

  it('answers each message that it has read before the stop, and keeps exactly these', async () => {
    const { port, close, state, texts } = await openedSource([{ listen: RELP }]);
    const { send, received, socket } = await relpClient(port(RELP));
    const ended = once(socket, 'end');
    for (let i = 2; i < 12; i++) send(i, `<13>${i}`);
    await close();
    await ended;
    const answers = received().split('\n').slice(0, -1);
    expect(answers.pop()).toBe('0 serverclose 0');
    expect(answers).toEqual(answers.map((_, index) => `${index + 2} rsp 6 200 OK`));
    const again = await openedSource([{ listen: RELP }], { directory: state });
    await vi.waitFor(
      () => expect([...texts(), ...again.texts()]).toEqual(answers.map((_, index) => `<13>${index + 2}`)),
      PATIENT,
    );
  });
});
