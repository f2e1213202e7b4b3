import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { DatagramReceiver } from '../../support/datagram-receiver.ts';
import { RelpServer } from '../../support/relp-server.ts';
import { StreamReceiver } from '../../support/stream-receiver.ts';
import { decodeOctetFrames, decodeRfc5424 } from '../../support/syslog-decoder.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function send(argv: readonly string[], stdin = '') {
  const { io, stdout, stderr } = capturedIo({ stdin });
  const code = await run(['send', ...argv], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

describe('over RELP', () => {
  it('sends one message and exits with 0 when it was answered', async () => {
    const server = await RelpServer.start();
    const address = `relp://127.0.0.1:${server.port}`;
    const flags = ['--message', 'backup finished', '--app', 'backup', '--severity', 'err'];
    const more = ['--facility', 'local0', '--host', 'web1', '--process-id', '7', '--message-id', 'DONE'];
    const { code, stdout } = await send([address, ...flags, ...more]);
    expect(stdout).toBe(`Sent 1 message (15 B) to ${address}: the receiver has answered each one.\n`);
    expect(code).toBe(0);
    expect(decodeRfc5424(Buffer.from(server.accepted[0] ?? ''))).toMatchObject({
      priority: 131,
      host: 'web1',
      app: 'backup',
      processId: '7',
      messageId: 'DONE',
      text: 'backup finished',
    });
    expect(server.commands).toEqual(['1 open', '2 syslog', '3 close']);
  });

  it('sends each line of the standard input', async () => {
    const server = await RelpServer.start();
    const argv = [`relp://127.0.0.1:${server.port}`, '--format', 'raw', '--json'];
    const { code, stdout } = await send(argv, '<34>one\r\n\ntwo');
    expect(JSON.parse(stdout)).toEqual({
      address: `relp://127.0.0.1:${server.port}`,
      acknowledged: true,
      complete: true,
      accepted: 2,
      rejected: 0,
      unanswered: 0,
      truncated: 0,
      bytes: 10,
    });
    expect([code, server.accepted]).toEqual([0, ['<34>one', 'two']]);
  });

  it('exits with 1 when the receiver rejects a message, and sends the others', async () => {
    const server = await RelpServer.start({
      message: (to, txnr, data) => (data === 'b' ? to.respond(txnr, '500 bad') : to.accept(txnr, data)),
    });
    const address = `relp://127.0.0.1:${server.port}`;
    const { code, stderr } = await send([address, '--format', 'raw'], 'a\nb\nc\n');
    expect(stderr).toBe(
      `mega-collector: The receiver ${address} rejected 1 message: 500 bad (2 messages answered).\n`,
    );
    expect([code, server.accepted]).toEqual([1, ['a', 'c']]);
  });

  it('exits with 1 when the connection ends before an answer', async () => {
    const server = await RelpServer.start({
      message: (to, txnr, data) => (data === 'b' ? to.socket.end() : to.accept(txnr, data)),
    });
    const address = `relp://127.0.0.1:${server.port}`;
    const { code, stderr, stdout } = await send([address, '--format', 'raw'], 'a\nb\n');
    expect(stderr).toBe(
      `mega-collector: Cannot send to ${address}: the receiver closed the connection (1 message answered).\n`,
    );
    expect([code, stdout]).toEqual([1, '']);
  });

  it('verifies the certificate of the receiver', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate, key, caCertificate } = await authority.issue({ name: 'localhost' });
    const server = await RelpServer.start({ tls: { cert: certificate, key } });
    const ca = join(await temporaryDirectory(), 'ca.pem');
    await writeFile(ca, caCertificate);
    const argv = [`relp+tls://localhost:${server.port}`, '--message', 'x'];
    expect((await send([...argv, '--ca', ca])).code).toBe(0);
    const untrusted = await send(argv);
    expect(untrusted.code).toBe(1);
    expect(untrusted.stderr).toContain('is not trusted');
    const missing = await send([...argv, '--ca', '/nonexistent/ca.pem']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('ENOENT');
  });
});

it('ends at Ctrl-C while the standard input is silent', async () => {
  const server = await RelpServer.start();
  const { io, stderr, send: signal } = capturedIo();
  const silent = new PassThrough();
  silent.write('one\n');
  const running = run(['send', `relp://127.0.0.1:${server.port}`], { ...io, stdin: silent });
  await expect.poll(() => server.accepted.length).toBe(1);
  signal('SIGINT');
  expect(await running).toBe(1);
  expect(stderr()).toContain('interrupted (1 message answered)');
});

describe('over syslog', () => {
  it('sends each line of a file over TCP', async () => {
    const receiver = await StreamReceiver.start();
    const file = join(await temporaryDirectory(), 'app.log');
    await writeFile(file, 'one\ntwo\n');
    const address = `tcp://127.0.0.1:${receiver.port}`;
    const { code, stdout } = await send([address, '--file', file]);
    expect(stdout).toBe(`Sent 2 messages (6 B) to ${address}: accepted by the operating system.\n`);
    expect(code).toBe(0);
    const messages = decodeOctetFrames(receiver.received).map((frame) => decodeRfc5424(frame));
    expect(messages.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(messages[0]).toMatchObject({ priority: 13, app: 'mega-collector', processId: '-' });
  });

  it('sends a datagram over UDP', async () => {
    const receiver = await DatagramReceiver.start();
    const argv = [
      `udp://127.0.0.1:${receiver.port}`,
      '--message',
      'hi',
      '--format',
      'rfc3164',
      '--host',
      'h',
    ];
    expect((await send(argv)).code).toBe(0);
    await expect
      .poll(() => receiver.packets.map(String))
      .toEqual([expect.stringMatching(/^<13>\w{3} [ \d]\d \d\d:\d\d:\d\d h mega-collector: hi$/)]);
  });

  it('exits with 1 when nothing is listening', async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await send([address, '--message', 'x', '--json']);
    expect([code, stderr]).toEqual([1, '']);
    const { code: other, stderr: text } = await send([address, '--message', 'x']);
    expect(other).toBe(1);
    expect(text).toContain('nothing is listening');
  });
});

describe('a wrong command line exits with 2', () => {
  it.each([
    [['loghost'], 'Invalid address "loghost": expected udp://host:port'],
    [['tcp://a', '-m', 'x', '--severity', 'loud'], '--severity: expected 0 to 7'],
    [['udp://a', '-m', 'x', '--framing', 'lf'], '--framing: has no effect'],
    [['tcp://a', '-m', 'x', '--ca', '/c'], '--ca: has no effect'],
    [['tcp://a', '-m', 'x', '-f', 'y'], 'Use either --message or --file.'],
    [['relp://a', '-m', 'x', '--window', '0'], '--window: '],
    [['tcp://a', '-m', 'x', '--window', '5'], '--window'],
    [['tcp://a', '-m', 'x', '--format', 'cef'], 'cef'],
  ])('%j', async (argv, message) => {
    const { code, stderr } = await send(argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

it('reports a file that cannot be read', async () => {
  const { code, stderr } = await send(['tcp://127.0.0.1:1', '--file', '/nonexistent/app.log']);
  expect(stderr).toBe(
    'mega-collector: Cannot read /nonexistent/app.log: it does not exist (ENOENT). Check the path.\n',
  );
  expect(code).toBe(1);
});
