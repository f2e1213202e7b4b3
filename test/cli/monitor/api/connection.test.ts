import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ConnectionFlags, readConnection } from '../../../../src/cli/monitor/api/connection.ts';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { FakeAggregator, type FakeAnswer, refused } from '../fake-aggregator.ts';
import { monitor } from '../monitor-run.ts';

const SECRET = 'hunter2hunter2hunter2';
const NONE = { 'GET /v1/metrics': { json: { metrics: [] } } };

const connectionOf = (flags: Partial<ConnectionFlags>, environment: Record<string, string> = {}) =>
  readConnection({ timeout: '30s', wait: '0s', ...flags }, { environment });

async function file(content: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, content);
  return path;
}

describe('the URL of the aggregator', () => {
  test.each([
    [{}, {}, 'http://127.0.0.1:8001'],
    [{}, { AGGREGATOR_HTTP_ADDRESS: '10.0.0.7:80' }, 'http://10.0.0.7:80'],
    [{}, { AGGREGATOR_HTTP_ADDRESS: '0.0.0.0:9000' }, 'http://127.0.0.1:9000'],
    [{}, { AGGREGATOR_HTTP_ADDRESS: ':9000' }, 'http://127.0.0.1:9000'],
    [{}, { AGGREGATOR_HTTP_ADDRESS: '[::]:9000' }, 'http://[::1]:9000'],
    [{}, { AGGREGATOR_HTTP_ADDRESS: '[fe80::1]:9000' }, 'http://[fe80::1]:9000'],
    [
      { url: 'https://logs.example.com' },
      { AGGREGATOR_HTTP_ADDRESS: 'nonsense' },
      'https://logs.example.com',
    ],
    [{ url: 'http://h:1/logs/' }, {}, 'http://h:1/logs'],
    [{ url: 'h:8001' }, {}, 'http://h:8001'],
  ])('%j and %j: %s', async (flags, environment, expected) => {
    expect((await connectionOf(flags, environment)).url).toBe(expected);
  });

  test.each(['', 'ftp://h', 'http://', 'http://h?x', 'http://h/#x', 'http://h:99999', 'a b'])(
    '--url %j is none',
    async (url) => {
      await expect(connectionOf({ url })).rejects.toThrow(
        '--url: expected a URL such as http://127.0.0.1:8001.',
      );
    },
  );

  test('rejects a URL with a secret without showing it', async () => {
    const refusal = connectionOf({ url: `http://ann:${SECRET}@h` });
    await expect(refusal).rejects.toThrow('--url: a URL must not contain a user or password');
    await expect(refusal).rejects.not.toThrow(SECRET);
  });

  test('a wrong variable is configuration', async () => {
    const environment = { AGGREGATOR_HTTP_ADDRESS: 'here' };
    const { exitCode, stderr } = await monitor(['metrics'], { environment });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('AGGREGATOR_HTTP_ADDRESS: expected host:port');
  });

  test('reports a wrong --timeout', async () => {
    await expect(connectionOf({ timeout: '5' })).rejects.toThrow('--timeout: expected a duration');
    await expect(connectionOf({ timeout: '0s' })).rejects.toThrow(
      '--timeout: expected a duration greater than zero',
    );
    expect((await connectionOf({ timeout: '10000h' })).timeoutMs).toBeLessThan(2 ** 31);
  });
});

describe('the token', () => {
  test.each([
    ['the variable', async () => ({ environment: { AGGREGATOR_HTTP_TOKEN: SECRET }, argv: [] })],
    [
      'the file of the variable',
      async () => ({ environment: { AGGREGATOR_HTTP_TOKEN_FILE: await file(`${SECRET}\n`) }, argv: [] }),
    ],
    [
      'the file of the flag, which wins',
      async () => ({
        environment: { AGGREGATOR_HTTP_TOKEN: 'x' },
        argv: ['--token-file', await file(SECRET)],
      }),
    ],
  ])('comes from %s', async (_, given) => {
    const server = await FakeAggregator.start(NONE);
    const { environment, argv } = await given();
    expect((await monitor(['metrics', ...argv], { aggregator: server, environment })).exitCode).toBe(0);
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${SECRET}`);
  });

  test('is not sent when there is none', async () => {
    const server = await FakeAggregator.start(NONE);
    await monitor(['metrics'], { aggregator: server, environment: { AGGREGATOR_HTTP_TOKEN: '' } });
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('is reported without being shown if it cannot be read or is invalid', async () => {
    const missing = await monitor(['metrics', '--token-file', '/missing/token']);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('--token-file: expected a readable file');
    const both = { AGGREGATOR_HTTP_TOKEN: SECRET, AGGREGATOR_HTTP_TOKEN_FILE: '/missing' };
    expect((await monitor(['metrics'], { environment: both })).exitCode).toBe(78);
    const split = await monitor(['metrics', '--token-file', await file(`${SECRET}\r\nHost: evil`)]);
    expect(split.exitCode).toBe(2);
    expect(split.stderr).toContain('--token-file: expected 16 to 512 letters, digits');
    expect(split.stderr).not.toContain(SECRET);
  });
});

describe('https', () => {
  test('is verified, with --ca against the given certificates', async () => {
    const authority = await CertificateAuthority.create();
    const server = await FakeAggregator.start(NONE, await authority.issue({ name: 'aggregator' }));
    const ca = await file(authority.certificate);
    expect((await monitor(['metrics', '--ca', ca], { aggregator: server })).exitCode).toBe(0);

    const untrusted = await monitor(['metrics'], { aggregator: server });
    expect(untrusted.exitCode).toBe(1);
    expect(untrusted.stderr).toMatch(
      /The certificate of https:.* is not trusted \([A-Z_]+\)\. Name the .* --ca/,
    );
    const other = await file((await CertificateAuthority.create('Other')).certificate);
    expect((await monitor(['metrics', '--ca', other], { aggregator: server })).stderr).toContain(
      'is not trusted',
    );
  });

  test('of an expired certificate is refused', async () => {
    const authority = await CertificateAuthority.create();
    const server = await FakeAggregator.start(NONE, await authority.issue({ name: 'a', expired: true }));
    const ca = await file(authority.certificate);
    expect((await monitor(['metrics', '--ca', ca], { aggregator: server })).stderr).toContain('has expired');
  });

  test('is distinguished from HTTP', async () => {
    const authority = await CertificateAuthority.create();
    const tls = await FakeAggregator.start(NONE, await authority.issue({ name: 'aggregator' }));
    const plain = await FakeAggregator.start(NONE);
    const asHttp = await monitor(['metrics'], { aggregator: { url: tls.url.replace('https', 'http') } });
    expect(asHttp.exitCode).toBe(1);
    expect(asHttp.stderr).toMatch(/does not answer with HTTP|Cannot reach an aggregator/);
    const asHttps = await monitor(['metrics'], { aggregator: { url: plain.url.replace('http', 'https') } });
    expect(asHttps.stderr).toContain('Cannot establish TLS with');
  });

  test.each([
    ['missing', async () => '/missing/ca.pem', 'cannot read the file (ENOENT)'],
    ['something else', () => file('hello'), 'contains no certificates in PEM format'],
    [
      'damaged',
      () => file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      'in PEM format',
    ],
  ])('reports --ca that is %s', async (_, path, message) => {
    const { exitCode, stderr } = await monitor(['metrics', '--ca', await path()]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('an invalid answer', () => {
  const asking = async (answer: FakeAnswer, argv: readonly string[] = []) => {
    const server = await FakeAggregator.start({ 'GET /v1/metrics': answer });
    const { exitCode, stdout, stderr } = await monitor(['metrics', ...argv], { aggregator: server });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).not.toContain('    at ');
    expect(stderr.startsWith('mega-collector: ')).toBe(true);
    return stderr.replaceAll(server.url, 'URL').slice('mega-collector: '.length).trimEnd();
  };
  const page: FakeAnswer = (response) => response.writeHead(200).end('<html>\u001b[31mhello</html>');

  test.each<readonly [string, FakeAnswer, string]>([
    [
      'a token is required',
      refused(401, 'x'),
      'The aggregator at URL requires a token. Set AGGREGATOR_HTTP_TOKEN, or name a file with --token-file.',
    ],
    ['forbidden', refused(403, 'Only this machine may ask.'), 'Only this machine may ask.'],
    ['not found', refused(404, 'There is no metric "x".'), 'There is no metric "x".'],
    [
      'nothing there',
      { status: 404, json: { error: 'there is nothing here' } },
      'URL does not know this request. Check that it is an aggregator of this version.',
    ],
    [
      'busy',
      refused(503, 'The store is starting.'),
      'The aggregator at URL cannot answer now: The store is starting.',
    ],
    ['too slow', refused(504, 'The store took too long.'), 'The store took too long.'],
    ['broken', { status: 500, json: 'x' }, 'The aggregator at URL answered with status 500.'],
    [
      'elsewhere',
      (response) => response.writeHead(302, { location: 'http://evil' }).end(),
      'The aggregator at URL answered with status 302.',
    ],
    [
      'a page',
      page,
      'Unexpected answer from URL. Check that it is an aggregator of this version.\nIt is not JSON.',
    ],
    ['of another shape', { json: { metrics: [{ definition: {} }] } }, 'Unexpected answer from URL'],
    [
      'cut off',
      (response) => response.writeHead(200, { 'content-length': 100 }).end('{'),
      'The connection to URL ended before the answer was complete.',
    ],
    [
      'reset',
      (response) => response.writeHead(200).write('{"metrics":', () => response.destroy()),
      'The connection to URL ended before the answer was complete.',
    ],
  ])('%s', async (_, answer, message) => {
    expect(await asking(answer)).toContain(message);
  });

  test('reports a rejected token without showing it', async () => {
    const server = await FakeAggregator.start({ 'GET /v1/metrics': refused(401, 'x') });
    const environment = { AGGREGATOR_HTTP_TOKEN: SECRET };
    const { stderr } = await monitor(['metrics'], { aggregator: server, environment });
    expect(stderr).toBe(
      `mega-collector: The aggregator at ${server.url} rejected the token. Check AGGREGATOR_HTTP_TOKEN or --token-file.\n`,
    );
  });

  test('hostile words are shown harmlessly, and not all of them', async () => {
    const problems = [{ path: '\u001b[1m', message: 'y'.repeat(5000) }];
    const text = await asking(refused(422, `\u001b[2J${'x'.repeat(100_000)}`, problems));
    expect(text).toContain('\\x1b[2Jxxx');
    expect(text).not.toContain('\u001b');
    expect(text.length).toBeLessThan(3000);
  });

  test.each<readonly [string, FakeAnswer]>([
    ['never comes', () => {}],
    ['never ends', (response) => response.writeHead(200).write('{"metrics":')],
  ])('%s', async (_, answer) => {
    expect(await asking(answer, ['--timeout', '200ms'])).toContain('No answer from URL within 0.2 s.');
  });

  test('nothing listens at the address', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { exitCode, stderr } = await monitor(['metrics', '--url', 'http://127.0.0.1:1']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'mega-collector: Cannot reach an aggregator at http://127.0.0.1:1 (ECONNREFUSED). Start one with mega-collector aggregator, or name its HTTP ' +
        'address with --url or AGGREGATOR_HTTP_ADDRESS.\n',
    );
    const unknown = await monitor(['metrics', '--url', 'http://nowhere.invalid:1']);
    expect(unknown.stderr).toMatch(/Cannot resolve the host name in http:\/\/nowhere.invalid:1|EAI_AGAIN/);
  });

  test('another program listens at the address', async () => {
    const server = createServer((socket) => socket.end('220 smtp.example.com\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { exitCode, stderr } = await monitor(['metrics', '--url', `http://127.0.0.1:${port}`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not answer with HTTP (HPE_');
  });
});
