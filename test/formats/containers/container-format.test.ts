import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseFormatDescription } from '../../../src/formats/described/format-description.ts';
import { guessFormatOf } from '../../../src/formats/guess-format.ts';
import { formatNamed } from '../../../src/formats/registry.ts';

const T = '2026-11-28T10:00:00.123456789Z';
const NANO = 1_795_860_000_123_456_789n;

function parse(format: string, bytes: string | Buffer) {
  const described = parseFormatDescription(format);
  if (typeof described === 'string') throw new Error(described);
  const { name, options } = described;
  const resource = new Map(options === undefined ? [] : [['megacollector.format_options', options]]);
  const parsed = formatNamed(name).parse(Buffer.from(bytes as string), {
    resource,
    observedTimeUnixNano: 0n,
  });
  return { ...parsed, attributes: Object.fromEntries(parsed.attributes) };
}

const cri = (message: string, tag = 'F', stream = 'stdout') => `${T} ${stream} ${tag} ${message}\n`;
const docker = (log: string, stream = 'stdout') => `${JSON.stringify({ log, stream, time: T })}\n`;

describe('cri', () => {
  it('reads time, stream and message', () => {
    expect(parse('cri', cri('Hello  world ', 'F', 'stderr'))).toMatchObject({
      timeUnixNano: NANO,
      body: 'Hello  world ',
      attributes: { 'log.iostream': 'stderr' },
    });
  });

  it('reads a time with a zone, further tags and an empty message', () => {
    expect(parse('cri', '2026-11-28T11:00:00.123456789+01:00 stdout F:tag text\n')).toMatchObject({
      timeUnixNano: NANO,
      body: 'text',
    });
    expect(parse('cri', `${T} stdout F\n`)).toMatchObject({ timeUnixNano: NANO, body: '' });
    expect(parse('cri', `${T} stdout F \n`)).toMatchObject({ timeUnixNano: NANO, body: '' });
  });

  it('joins parts as they are, also inside a character', () => {
    const text = Buffer.from('größe');
    const record = Buffer.concat([
      Buffer.from(`${T} stdout P `),
      text.subarray(0, 3),
      Buffer.from(`\n${T} stdout F `),
      text.subarray(3),
      Buffer.from('\n'),
    ]);
    expect(parse('cri', record)).toMatchObject({ body: 'größe', attributes: { 'log.iostream': 'stdout' } });
  });

  it('joins the messages of a multiline record by line feeds', () => {
    expect(parse('cri', cri('Error: x') + cri('  at ', 'P') + cri('y')).body).toBe('Error: x\n  at y');
  });

  it('reads a JSON object, also over several parts; the time of the message wins', () => {
    const text = '{"time":"2026-11-28T09:59:59Z","level":"warn","msg":"Slow","user":7}';
    expect(parse('cri', cri(text.slice(0, 20), 'P') + cri(text.slice(20)))).toMatchObject({
      timeUnixNano: NANO - 1_123_456_789n,
      severityText: 'warn',
      body: 'Slow',
      attributes: { user: 7, 'log.iostream': 'stdout', time: T },
    });
  });

  it('keeps a message that only begins like JSON', () => {
    expect(parse('cri', cri('{not JSON'))).toMatchObject({
      body: '{not JSON',
      attributes: { 'log.iostream': 'stdout' },
    });
  });

  it('reads other lines as plain, with the reason', () => {
    for (const line of ['', 'text\n', `${T} stdlog F x\n`, `${T} stdout X x\n`, `${T}\n`, '-----\n']) {
      expect(parse('cri', line)).toMatchObject({
        body: line.trimEnd(),
        attributes: { 'megacollector.parse_error': 'not a line of a CRI log' },
      });
    }
  });
});

describe('docker-json', () => {
  it('reads time, stream and message', () => {
    expect(parse('docker-json', docker('Hello "world"\n', 'stderr'))).toMatchObject({
      timeUnixNano: NANO,
      body: 'Hello "world"',
      attributes: { 'log.iostream': 'stderr' },
    });
  });

  it('joins parts and reads JSON in the log', () => {
    expect(parse('docker-json', docker('{"level":"error",') + docker('"msg":"Failed"}\n'))).toMatchObject({
      timeUnixNano: NANO,
      severityText: 'error',
      body: 'Failed',
    });
  });

  it('keeps the attributes of the options of the logging driver', () => {
    const line = JSON.stringify({ log: 'x\n', stream: 'stdout', attrs: { tag: 'web' }, time: T });
    expect(parse('docker-json', line).attributes).toMatchObject({ attrs: { tag: 'web' } });
  });

  it('reads other lines as plain, with the reason', () => {
    for (const line of [
      'text',
      '{"log":"x\\n"}',
      '{"log":"x\\n","stream":"x","time":"x"}',
      '[1]',
      '{"log":"',
    ])
      expect(parse('docker-json', line)).toMatchObject({
        body: line,
        attributes: { 'megacollector.parse_error': 'not a line of a json-file log of Docker' },
      });
  });
});

describe('a described format of the messages', () => {
  test.each([
    ['json?message=text', '{"text":"Hello","msg":"other"}', { body: 'Hello', attributes: { msg: 'other' } }],
    ['logfmt', 'level=warn msg="a b"', { body: 'a b', severityText: 'warn' }],
    ['access:$remote_addr $status', '192.0.2.1 404', { attributes: { 'client.address': '192.0.2.1' } }],
    ['plain', '{"msg":"x"}', { body: '{"msg":"x"}' }],
    ['json', 'no JSON', { body: 'no JSON', attributes: { 'megacollector.parse_error': 'not valid JSON' } }],
  ])('%s', (inner, message, expected) => {
    expect(parse(`cri:${inner}`, cri(message))).toMatchObject(expected);
    expect(parse(`docker-json: ${inner}`, docker(`${message}\n`))).toMatchObject(expected);
  });

  test.each(['cri:', 'cri:auto', 'cri:cri', 'docker-json:cri', 'cri:docker-json:json'])(
    'rejects %s',
    (text) => {
      expect(parseFormatDescription(text)).toContain('expected the format of the messages');
    },
  );

  it('rejects an invalid description of the messages', () => {
    expect(parseFormatDescription('cri:json?x=1')).toContain('found "x"');
  });
});

it('guesses the formats of container runtimes', () => {
  expect(guessFormatOf([Buffer.from(cri('{"msg":"x"}'))])).toBe('cri');
  expect(guessFormatOf([Buffer.from(docker('{"msg":"x"}\n'))])).toBe('docker-json');
});

it('never fails', () => {
  const texts = fc.array(
    fc.constantFrom(T, ' stdout F ', ' stderr P ', '\n', '{"log":"', '","stream":"stdout"', '}', 'é'),
  );
  fc.assert(
    fc.property(texts, fc.uint8Array(), (parts, bytes) => {
      for (const record of [Buffer.from(parts.join('')), Buffer.from(bytes)])
        for (const name of ['cri', 'docker-json'])
          expect(() => formatNamed(name).parse(record)).not.toThrow();
    }),
  );
});
