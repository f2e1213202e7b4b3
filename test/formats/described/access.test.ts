import { describe, expect, test } from 'vitest';
import { combined } from '../../../src/formats/combined.ts';
import { access } from '../../../src/formats/described/access.ts';
import { compileAccessFormat } from '../../../src/formats/described/access-pattern.ts';
import { parseFormatDescription } from '../../../src/formats/described/format-description.ts';
import { markdownBlocks } from '../../support/markdown-blocks.ts';

function parse(format: string, line: string) {
  const described = parseFormatDescription(`access:${format}`);
  if (typeof described === 'string') throw new Error(described);
  const resource = new Map([['megacollector.format_options', described.options ?? '']]);
  return access.parse(Buffer.from(line), { resource, observedTimeUnixNano: 0n });
}

const LINE =
  '192.0.2.1 - jane [28/Nov/2026:10:00:00 +0100] "GET /a?b=1 HTTP/1.1" 404 2326 "http://example.com/" "Mozilla/5.0 \\"x\\""';
const NGINX_COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
const APACHE_COMBINED = '%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"';

test.each([
  ['the format of nginx', NGINX_COMBINED],
  [
    'a line of the configuration of nginx',
    'log_format main \'$remote_addr - $remote_user [$time_local] "$request" \'\n    \'$status $body_bytes_sent "$http_referer" \'\n    \'"$http_user_agent"\';',
  ],
  ['the format of Apache', APACHE_COMBINED],
  ['a line of the configuration of Apache', `LogFormat "${APACHE_COMBINED}" combined`],
])('reads the Combined Log Format by %s like the format combined', (_, format) => {
  const { attributes, ...expected } = combined.parse(Buffer.from(`${LINE}\n`));
  const read = parse(format, `${LINE}\n`);
  expect(read).toMatchObject(expected);
  expect(read.attributes).toEqual(attributes);
});

describe('fields', () => {
  test('of nginx', () => {
    const format =
      '$host $remote_addr $msec $request_method $request_uri $server_protocol $status $bytes_sent ' +
      'rt=$request_time urt=$upstream_response_time "$http_x_request_id" ${request_id} $sent_http_content_type|';
    const read = parse(
      format,
      'example.com ::1 1795860000.123 GET /a?b HTTP/2.0 200 512 rt=0.250 urt=0.1, 0.2 "r-1" abc text/html|',
    );
    expect(read.timeUnixNano).toBe(1_795_860_000_123_000_000n);
    expect(Object.fromEntries(read.attributes)).toEqual({
      'http.request.header.host': 'example.com',
      'client.address': '::1',
      'http.request.method': 'GET',
      'url.path': '/a',
      'url.query': 'b',
      'network.protocol.version': '2.0',
      'http.response.status_code': 200,
      'http.response.size': 512,
      'http.server.request.duration': 0.25,
      upstream_response_time: '0.1, 0.2',
      'http.request.header.x-request-id': 'r-1',
      request_id: 'abc',
      'http.response.header.content-type': 'text/html',
    });
  });

  test('of Apache', () => {
    const read = parse(
      '%v:%p %{X-Forwarded-For}i %a %t %m %U%% %q %H %s %O %D %{UNIQUE_ID}e',
      'example.com:443 192.0.2.9 192.0.2.1 [28/Nov/2026:10:00:00 +0100] GET /a% ?b=1 HTTP/1.1 500 99 1500 xyz',
    );
    expect(read.severityNumber).toBe(17);
    expect(read.timeUnixNano).toBe(BigInt(Date.parse('2026-11-28T09:00:00Z')) * 1_000_000n);
    expect(Object.fromEntries(read.attributes)).toEqual({
      'server.address': 'example.com',
      'server.port': 443,
      'http.request.header.x-forwarded-for': '192.0.2.9',
      'client.address': '192.0.2.1',
      'http.request.method': 'GET',
      'url.path': '/a',
      'url.query': 'b=1',
      'network.protocol.version': '1.1',
      'http.response.status_code': 500,
      'http.response.size': 99,
      'http.server.request.duration': 0.0015,
      UNIQUE_ID: 'xyz',
    });
  });

  test('that are absent, and text after the last one', () => {
    const read = parse('$remote_addr "$http_referer" $status', '- "-" 200 more text');
    expect(Object.fromEntries(read.attributes)).toEqual({
      'http.response.status_code': 200,
      'megacollector.unparsed': 'more text',
    });
  });
});

test('keeps a line of another format, and a line without a description', () => {
  for (const line of ['', 'hello', '192.0.2.1 - jane'])
    expect(parse(NGINX_COMBINED, line).attributes.get('megacollector.parse_error')).toBe(
      'not in the described format of the access log',
    );
  expect(access.parse(Buffer.from(LINE)).attributes.get('megacollector.parse_error')).toBe(
    'an access log without a description of its format',
  );
});

test.each([
  ['', 'expected at least one field such as $remote_addr or %h, found none'],
  ['no fields', 'expected at least one field such as $remote_addr or %h, found none'],
  ['$remote_addr$status', 'expected a text between two fields, found none: their values cannot be separated'],
  ['%h %{x}Z', 'expected directives of LogFormat, found "%{x}Z"'],
  ['{"time": "$time_iso8601"}', 'expected an access log of text; this one is JSON: use the format "json"'],
  ['x'.repeat(5000), 'expected at most 4096 characters, found 5000'],
])('rejects the description %j', (format, reason) => {
  expect(compileAccessFormat(format)).toBe(reason);
});

test('the formats in the documentation read a line of their servers', () => {
  const [block] = markdownBlocks('docs/formats.md').filter(({ text }) => text.startsWith('access:'));
  const [nginx = '', apache = ''] = (block?.text ?? '')
    .split('\n')
    .map((line) => line.replace('access:', ''));
  const line = '192.0.2.1 - jane [28/Nov/2026:10:00:00 +0100] "GET /a HTTP/1.1" 404 2326';
  const expected = {
    'client.address': '192.0.2.1',
    'user.name': 'jane',
    'http.request.method': 'GET',
    'url.path': '/a',
    'http.response.status_code': 404,
    'http.response.body.size': 2326,
    'http.server.request.duration': 0.25,
  };
  const read = (format: string, text: string) => Object.fromEntries(parse(format, text).attributes);
  expect(read(nginx, `${line} 0.250`)).toMatchObject(expected);
  expect(read(apache, `${line} "-" "curl/8" 250000`)).toMatchObject({
    ...expected,
    'user_agent.original': 'curl/8',
  });
});
