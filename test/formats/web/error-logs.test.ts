import { expect, test } from 'vitest';
import { apacheError } from '../../../src/formats/web/apache-error.ts';
import { nginxError } from '../../../src/formats/web/nginx-error.ts';
import type { RecordContext } from '../../../src/records/record-context.ts';

const PARIS: RecordContext = {
  resource: new Map([['megacollector.timezone', 'Europe/Paris']]),
  observedTimeUnixNano: 0n,
};
const at = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;

test('a line of nginx about a request', () => {
  const line =
    '2024/11/28 10:00:00 [error] 1234#5678: *9 open() "/x" failed (2: No such file, or directory), client: 192.0.2.1, ' +
    'server: example.com, request: "GET /x?a=1 HTTP/1.1", upstream: "http://10.0.0.1:80/x", host: "example.com", referrer: "http://a/"\n';
  expect(nginxError.parse(Buffer.from(line), PARIS)).toEqual({
    timeUnixNano: at('2024-11-28T09:00:00Z'),
    severityNumber: 17,
    severityText: 'error',
    body: 'open() "/x" failed (2: No such file, or directory)',
    attributes: new Map<string, unknown>([
      ['process.pid', 1234],
      ['thread.id', 5678],
      ['nginx.connection', 9],
      ['client.address', '192.0.2.1'],
      ['server.address', 'example.com'],
      ['http.request.method', 'GET'],
      ['url.path', '/x'],
      ['url.query', 'a=1'],
      ['network.protocol.version', '1.1'],
      ['nginx.upstream', 'http://10.0.0.1:80/x'],
      ['http.request.header.host', 'example.com'],
      ['http.request.header.referer', 'http://a/'],
    ]),
  });
});

test('a line of nginx without a request has its time in UTC if the source has no zone', () => {
  const read = nginxError.parse(Buffer.from('2024/11/28 10:00:00 [notice] 7#7: signal process started'));
  expect(read).toMatchObject({
    timeUnixNano: at('2024-11-28T10:00:00Z'),
    severityNumber: 10,
    body: 'signal process started',
  });
  expect(
    nginxError
      .parse(Buffer.from('2024/13/28 10:00:00 [notice] 7#7: x'))
      .attributes.get('megacollector.time_raw'),
  ).toBe('2024/13/28 10:00:00');
});

test('a line of Apache 2.4', () => {
  const line =
    '[Wed Oct 11 14:32:52.123456 2024] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.1:51234] AH00037: Symbolic link not allowed: /x, referer: http://a/\n';
  expect(apacheError.parse(Buffer.from(line), PARIS)).toEqual({
    timeUnixNano: at('2024-10-11T12:32:52Z') + 123_456_000n,
    severityNumber: 17,
    severityText: 'error',
    body: 'AH00037: Symbolic link not allowed: /x',
    attributes: new Map<string, unknown>([
      ['apache.module', 'core'],
      ['process.pid', 35_708],
      ['thread.id', 4_328_636_416],
      ['client.address', '192.0.2.1'],
      ['client.port', 51_234],
      ['apache.error_code', 'AH00037'],
      ['http.request.header.referer', 'http://a/'],
    ]),
  });
});

test('a line of Apache 2.2, and one with an error of the system', () => {
  expect(
    apacheError.parse(Buffer.from('[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied')),
  ).toMatchObject({ timeUnixNano: at('2000-10-11T14:32:52Z'), severityNumber: 17, body: 'client denied' });
  const denied = apacheError.parse(
    Buffer.from(
      '[Wed Oct 11 14:32:52.1 2024] [proxy:trace2] [pid 7] (13)Permission denied: [client ::1:80] AH00035: x',
    ),
  );
  expect(denied).toMatchObject({ severityNumber: 1, body: '(13)Permission denied: AH00035: x' });
  expect(denied.attributes.get('apache.error_code')).toBe('AH00035');
});

test.each([nginxError, apacheError])('$name keeps other lines as text with the reason', (format) => {
  for (const text of ['', 'hello', '[Wed] [error] x', '2024/11/28 [error] x']) {
    const read = format.parse(Buffer.from(text));
    expect(read.body).toBe(text);
    expect(read.attributes.has('megacollector.parse_error')).toBe(true);
  }
});
