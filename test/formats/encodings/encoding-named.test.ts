import { expect, it } from 'vitest';
import { encodingMisfit } from '../../../src/formats/encodings/encoding-misfit.ts';
import { encodingNamed } from '../../../src/formats/encodings/encoding-named.ts';
import { nearestName } from '../../../src/runtime/configuration/unknown-variables.ts';

it.each([
  ['UTF-8', undefined],
  ['utf8', undefined],
  ['UTF-16', 'utf-16'],
  ['utf_16le', 'utf-16le'],
  ['UCS-2', 'utf-16le'],
  ['UTF-32BE', 'utf-32be'],
  ['Latin1', 'latin1'],
  ['ISO-8859-15', 'iso-8859-15'],
  ['Windows-1252', 'windows-1252'],
  ['Shift_JIS', 'shift_jis'],
  ['x-sjis', 'x-sjis'],
  ['x-gbk', 'x-gbk'],
  ['GB18030', 'gb18030'],
  ['Big5', 'big5'],
  ['EUC-KR', 'euc-kr'],
  ['KOI8-R', 'koi8-r'],
  ['cp850', 'cp850'],
])('reads the name %s', (text, name) => {
  expect(encodingNamed(text, nearestName)).toEqual({ name });
});

it.each([
  ['utf-61', 'did you mean "utf-16"?'],
  ['shift-jsi', 'did you mean "shift_jis"?'],
  ['windows1253x', 'did you mean "windows-1253"?'],
  ['iso-8895-15', 'did you mean "iso-8859-15"?'],
  ['', 'expected an encoding such as'],
  ['UTF-7', 'is not supported: convert the file to UTF-8'],
  ['ISO-2022-JP', 'is not supported: convert the file to UTF-8'],
  ['cp037', 'is not supported: convert the file to UTF-8'],
  ['base64', 'is not supported: convert the file to UTF-8'],
])('rejects the name %j', (text, message) => {
  expect(encodingNamed(text, nearestName)).toContain(message);
});

it('reports formats that cannot be in an encoding', () => {
  expect(encodingMisfit('docker-json', 'latin1')).toContain('is always UTF-8');
  expect(encodingMisfit('postgres-csvlog', 'utf-16le')).toContain('cannot be read in "utf-16le"');
  expect(encodingMisfit('postgres-csvlog', 'latin1')).toBeUndefined();
  expect(encodingMisfit('json', 'utf-16')).toBeUndefined();
  expect(encodingMisfit('otlp', undefined)).toBeUndefined();
});
