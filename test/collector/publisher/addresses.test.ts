import { describe, expect, it } from 'vitest';
import { Addresses } from '../../../src/collector/publisher/addresses.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('Addresses', () => {
  it('returns one address after another, and starts again', () => {
    const addresses = new Addresses(['a:1', 'b:1'], new FakeClock());
    expect([addresses.current, addresses.atFirst]).toEqual(['a:1', true]);
    addresses.failed();
    expect([addresses.current, addresses.atFirst]).toEqual(['b:1', false]);
    addresses.failed();
    expect([addresses.current, addresses.atFirst]).toEqual(['a:1', true]);
  });

  it('returns to the first after ten to fifteen minutes, or when a successful call has ended', async () => {
    const clock = new FakeClock();
    const addresses = new Addresses(['a:1', 'b:1'], clock, () => 0.2);
    expect(addresses.goBackInMs).toBeUndefined();
    addresses.failed();
    await clock.advance(60_000);
    expect(addresses.goBackInMs).toBe(10 * 60_000);
    addresses.worked();
    expect(addresses.current).toBe('a:1');
    expect(addresses.goBackInMs).toBeUndefined();
  });
});
