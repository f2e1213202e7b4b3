import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetworkError, networksPattern } from '../../src/expressions/network-pattern.ts';
import { compilePattern } from '../../src/patterns/compile-pattern.ts';

const contains = (network: string, address: string) =>
  compilePattern(networksPattern([network]), 'i').test(address);

/** Small numbers and equal beginnings are frequent, so that addresses are near the borders of networks. */
const group = fc.oneof(fc.constantFrom(0, 0, 0, 1, 0xff, 0xffff, 0x0db8, 0x8000), fc.nat({ max: 0xffff }));
const address = fc.array(group, { minLength: 8, maxLength: 8 });

interface Form {
  readonly leaves: readonly [number, number];
  readonly padded: boolean;
  readonly upper: boolean;
  readonly dotted: boolean;
}

const form: fc.Arbitrary<Form> = fc.record({
  leaves: fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 8 })),
  padded: fc.boolean(),
  upper: fc.boolean(),
  dotted: fc.boolean(),
});

/** Any text of an address that RFC 4291 (section 2.2) permits. */
function written(groups: readonly number[], { leaves, padded, upper, dotted }: Form): string {
  const parts = groups.map((each) => each.toString(16).padStart(padded ? 4 : 1, '0'));
  const [g = 0, h = 0] = groups.slice(-2);
  if (dotted) parts.splice(6, 2, `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`);
  const [start, length] = leaves;
  const end = start + length;
  const canLeaveOut =
    length > 0 && end <= (dotted ? 6 : 8) && groups.slice(start, end).every((each) => each === 0);
  const text = canLeaveOut
    ? `${parts.slice(0, start).join(':')}::${parts.slice(end).join(':')}`
    : parts.join(':');
  return upper ? text.toUpperCase() : text;
}

describe('a network of IPv6', () => {
  it('contains the addresses that it contains for the operating system, in each of their forms', () => {
    const bits = fc.oneof(fc.constantFrom(0, 32, 48, 64, 96, 127, 128), fc.nat({ max: 128 }));
    fc.assert(
      fc.property(
        address,
        bits,
        fc.nat({ max: 8 }),
        address,
        form,
        form,
        (of, prefix, shared, other, a, b) => {
          const groups = [...of.slice(0, shared), ...other.slice(shared)];
          const list = new BlockList();
          list.addSubnet(written(of, { ...a, upper: false }), prefix, 'ipv6');
          const text = written(groups, b);
          // The pattern has no nested repetitions: V8's own engine is fast enough, and compiles it sooner.
          const pattern = new RegExp(networksPattern([`${written(of, a)}/${prefix}`]));
          expect(pattern.test(text.toLowerCase())).toBe(list.check(text, 'ipv6'));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has a pattern that the fast engine can run', () => {
    for (const network of ['2001:db8::/32', '::1', '::/0', 'fe80::/10', '2001:db8:0:0:1::/80', '10.0.0.0/8'])
      expect(compilePattern(networksPattern([network]), 'i').verdict).toBe('linear');
  });

  it.each([
    ['2001:db8::/32', '2001:db8::1', true],
    ['2001:db8::/32', '2001:0DB8:0:0:0:0:0:1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '::2', false],
    ['::1', '127.0.0.1', false],
    ['64:ff9b::/96', '64:ff9b::192.0.2.1', true],
    ['2001:db8::/32', 'x2001:db8::1', false],
    ['2001:db8::/32', '2001:db8::1:2:3:4:5:6:7', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
  ])('%s: %s is a member: %s', (network, text, expected) => {
    expect(contains(network, text)).toBe(expected);
  });

  it.each([
    ...['', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', '::1/129', '::g'],
    ...['1:2:3:4:5:6:7::8:9', '::1.2.3', '::1.2.3.256', '1.2.3.4::', '10.0.0.0/33', '300.0.0.0/8', 'a.b.c.d'],
  ])('"%s" is rejected', (text) => {
    expect(() => networksPattern([text])).toThrow(NetworkError);
  });
});
