import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../src/protocols/http2/hpack-decoder.ts';
import { Http2Error } from '../../../src/protocols/http2/http2-error.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const decoderOf = (tableBytes?: number) => new HpackDecoder(16 * 1024, tableBytes);

const REQUEST = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const REQUESTS = [
  REQUEST,
  [...REQUEST, ['cache-control', 'no-cache']],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];
const response = (status: string, seconds: string) => [
  [':status', status],
  ['cache-control', 'private'],
  ['date', `Mon, 21 Oct 2013 20:13:${seconds} GMT`],
  ['location', 'https://www.example.com'],
];
const RESPONSES = [
  response('302', '21'),
  response('307', '21'),
  [
    ...response('200', '22'),
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

describe('the examples of RFC 7541, appendix C', () => {
  it.each([
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key', 'custom-header']],
    ['040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['82', [':method', 'GET']],
  ])('C.2: reads %s', (hex, header) => {
    expect(decoderOf().decode(bytes(hex))).toEqual([header]);
  });

  it.each([
    [
      'C.3, requests',
      REQUESTS,
      4096,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, requests with the Huffman code',
      REQUESTS,
      4096,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'C.5, responses with evictions',
      RESPONSES,
      256,
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6, responses with the Huffman code',
      RESPONSES,
      256,
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ] as const)('%s', (_, lists, tableBytes, blocks) => {
    const decoder = decoderOf(tableBytes);
    expect(blocks.map((block) => decoder.decode(bytes(block)))).toEqual(lists);
  });
});

describe('a block that is invalid', () => {
  it.each([
    ['the index 0', '80', /index 0/],
    ['an index after the table', 'be', /index 62/],
    ['an index of a name after the table', '7f8001 0161', /index/],
    ['an integer that is cut off', 'ff80', /cut off/],
    ['an integer with many bytes', 'ff ffff ffff ffff ffff 7f', /too large/],
    ['an integer of zeros without end', 'ff 8080 8080 8080 8080 8080', /too large/],
    ['a name that is cut off', '4003 6162', /cut off/],
    ['a value that is missing', '0401', /cut off/],
    ['a block that ends after a name', '4001 61', /cut off/],
    ['padding of the Huffman code that is too long', '0482 07ff', /Huffman/],
    ['the end inside of the Huffman code', '0484 ffff ffff', /Huffman/],
    ['padding of the Huffman code with zeros', '0481 00', /Huffman/],
    ['a table that is larger than permitted', '3fe2 1f', /size of its table/],
    ['a size of the table after a header', '82 20', /after a header/],
    ['many sizes of the table', '20 20 20 82', /size of its table/],
  ])('is refused for %s', (_, hex, message) => {
    const failure = () => decoderOf().decode(bytes(hex));
    expect(failure).toThrow(Http2Error);
    expect(failure).toThrow(message);
  });

  it('is refused when its headers exceed the limit, however few bytes they have', () => {
    const decoder = decoderOf();
    decoder.decode(Buffer.concat([bytes('4001 61 7f 8119'), Buffer.alloc(3_328, 'x')]));
    expect(() => decoder.decode(Buffer.alloc(6, 0xbe))).toThrow('exceed 16 KiB');
    expect(decoder.decode(Buffer.alloc(2, 0xbe))).toHaveLength(2);
  });
});

it('accepts a smaller table, and forgets its entries', () => {
  const decoder = decoderOf();
  decoder.decode(bytes('400161 0162'));
  expect(decoder.decode(bytes('be'))).toEqual([['a', 'b']]);
  expect(decoder.decode(bytes('20 82'))).toEqual([[':method', 'GET']]);
  expect(() => decoder.decode(bytes('be'))).toThrow('index 62');
});
