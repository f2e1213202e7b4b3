import { describe, expect, it } from 'vitest';
import { UdpTransport } from '../../src/transport/udp-transport.ts';
import { freePort } from '../../testkit/free-ports.ts';
import { DatagramReceiver } from '../support/datagram-receiver.ts';
import { FakeClock } from '../support/fake-clock.ts';

function transport(...parameters: ConstructorParameters<typeof UdpTransport>): UdpTransport & Disposable {
  const udp = new UdpTransport(...parameters);
  return Object.assign(udp, { [Symbol.dispose]: () => udp.close() });
}

describe('UDP', () => {
  it.each(['127.0.0.1', '::1'])('sends one datagram for each call to %s', async (host) => {
    const receiver = await DatagramReceiver.start({ host });
    using udp = transport(host, receiver.port);
    expect(await udp.send(Buffer.from('one'))).toBeUndefined();
    expect(await udp.send(Buffer.from('two'))).toBeUndefined();
    expect(await udp.send(Buffer.alloc(65_507))).toBeUndefined();
    await expect.poll(() => receiver.packets.map(({ length }) => length)).toEqual([3, 3, 65_507]);
  });

  it('reports a missing listener with a later packet, and continues', async () => {
    const port = await freePort();
    using udp = transport('127.0.0.1', port);
    expect(await udp.send(Buffer.from('lost'))).toBeUndefined();
    await expect.poll(() => udp.takeLateFailure()).toMatchObject({ code: 'ECONNREFUSED' });
    expect(udp.takeLateFailure()).toBeUndefined();
    const receiver = await DatagramReceiver.start({ port });
    expect(await udp.send(Buffer.from('found'))).toBeUndefined();
    await expect.poll(() => receiver.packets.map(String)).toEqual(['found']);
  });

  it('reports a datagram that is too large', async () => {
    const receiver = await DatagramReceiver.start();
    using udp = transport('127.0.0.1', receiver.port);
    expect(await udp.send(Buffer.alloc(65_508))).toMatchObject({ code: 'EMSGSIZE' });
    expect(await udp.send(Buffer.from('small'))).toBeUndefined();
  });

  it('reports missing permission', async () => {
    using udp = transport('255.255.255.255', 1);
    expect(await udp.send(Buffer.from('x'))).toEqual({ reason: 'permission denied', code: 'EACCES' });
  });

  it('reports an unknown name, and stops waiting for a silent name server', async () => {
    const clock = new FakeClock();
    const unknown = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    using udp = transport('log.example', 1, { resolve: unknown });
    expect(await udp.send(Buffer.from('x'))).toEqual({
      reason: 'unknown host name',
      code: 'ENOTFOUND',
    });

    using waiting = transport('log.example', 1, { clock, resolve: () => new Promise(() => {}) });
    const sending = waiting.send(Buffer.from('x'));
    await clock.advance(10_000);
    expect(await sending).toMatchObject({ reason: 'no address within 10000 ms' });

    using none = transport('log.example', 1, { resolve: () => Promise.resolve([]) });
    expect(await none.send(Buffer.from('x'))).toMatchObject({ reason: 'the host has no address' });
  });
});

describe('the name', () => {
  /** Two receivers on one port, at two addresses. */
  async function moving() {
    const clock = new FakeClock();
    const old = await DatagramReceiver.start({ host: '127.0.0.1' });
    const moved = await DatagramReceiver.start({ host: '127.0.0.2', port: old.port });
    const names = { current: ['127.0.0.1'], asked: 0, fail: false };
    const resolve = () => {
      names.asked++;
      if (names.fail) return Promise.reject(new Error('no answer'));
      return Promise.resolve(names.current.map((address) => ({ address, family: 4 })));
    };
    return { clock, old, moved, names, udp: transport('log.example', old.port, { clock, resolve }) };
  }

  it('is resolved again after a minute', async () => {
    const { clock, old, moved, names, udp } = await moving();
    using _ = udp;
    await udp.send(Buffer.from('a'));
    await udp.send(Buffer.from('b'));
    expect(names.asked).toBe(1);
    names.current = ['127.0.0.2'];
    await clock.advance(60_000);
    await udp.send(Buffer.from('c'));
    await expect.poll(() => moved.packets.map(String)).toEqual(['c']);
    expect(old.packets.map(String)).toEqual(['a', 'b']);
  });

  it('that can no longer be resolved keeps its address', async () => {
    const { clock, old, names, udp } = await moving();
    using _ = udp;
    await udp.send(Buffer.from('a'));
    names.fail = true;
    await clock.advance(60_000);
    expect(await udp.send(Buffer.from('b'))).toBeUndefined();
    await expect.poll(() => old.packets.map(String)).toEqual(['a', 'b']);
  });

  it('is resolved again after an error, and another of its addresses is used', async () => {
    const { old, moved, names, udp } = await moving();
    using _ = udp;
    names.current = ['127.0.0.1', '127.0.0.2'];
    await old.close();
    await udp.send(Buffer.from('lost'));
    await expect.poll(() => udp.takeLateFailure()).toMatchObject({ code: 'ECONNREFUSED' });
    await udp.send(Buffer.from('there'));
    expect(names.asked).toBe(2);
    await expect.poll(() => moved.packets.map(String)).toEqual(['there']);
  });
});
