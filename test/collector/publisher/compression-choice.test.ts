import { describe, expect, it } from 'vitest';
import {
  AdaptiveCompression,
  type CompressionChoice,
  chooseCompression,
} from '../../../src/collector/publisher/compression-choice.ts';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

/** Sends messages of 1 MiB one after another; returns the time at the end. */
function send(
  choice: CompressionChoice,
  link: {
    readonly bytesPerMs: number;
    readonly mib: number;
    readonly fromMs: number;
    readonly idleMs?: number;
  },
): number {
  let nowMs = link.fromMs;
  for (let count = 0; count < link.mib; count++) {
    choice.sending(nowMs);
    nowMs += MIB / link.bytesPerMs;
    choice.sent(MIB, nowMs);
    nowMs += link.idleMs ?? 0;
  }
  return nowMs;
}

const FAST = { bytesPerMs: 800_000, mib: 16 };
const SLOW = { bytesPerMs: 12_500, mib: 16 };

describe('chooseCompression', () => {
  it.each(['127.0.0.1:8000', '127.3.2.1:8000', '[::1]:8000', 'localhost:8000', 'unix:/run/aggregator.sock'])(
    'auto: does not compress for an aggregator on this machine (%s)',
    (address) => {
      const choice = chooseCompression('auto', address);
      send(choice, { ...SLOW, fromMs: 0 });
      expect(choice.current).toBe('none');
    },
  );

  it.each(['10.0.0.1:8000', 'logs.example.com:8000', '[fe80::1]:8000'])(
    'auto: begins with LZ4 elsewhere (%s)',
    (address) => {
      expect(chooseCompression('auto', address).current).toBe('lz4');
    },
  );

  it.each(['lz4', 'none'] as const)('keeps %s for any link', (setting) => {
    const choice = chooseCompression(setting, '10.0.0.1:8000');
    const nowMs = send(choice, { ...FAST, fromMs: 0 });
    expect(choice.current).toBe(setting);
    send(choice, { ...SLOW, fromMs: nowMs });
    expect(choice.current).toBe(setting);
  });
});

describe('AdaptiveCompression', () => {
  it('stops compressing on a link that is faster than LZ4', () => {
    const choice = new AdaptiveCompression();
    const nowMs = send(choice, { ...FAST, mib: 15, fromMs: 0 });
    expect(choice.current).toBe('lz4');
    send(choice, { ...FAST, mib: 1, fromMs: nowMs });
    expect(choice.current).toBe('none');
  });

  it('keeps compressing on a slow link', () => {
    const choice = new AdaptiveCompression();
    send(choice, { ...SLOW, mib: 160, fromMs: 0 });
    expect(choice.current).toBe('lz4');
  });

  it('keeps compressing when few records are sent, which the buffers of the socket absorb', () => {
    const choice = new AdaptiveCompression();
    send(choice, { ...FAST, mib: 160, fromMs: 0, idleMs: 200 });
    expect(choice.current).toBe('lz4');
  });

  it('counts the time of messages that overlap once', () => {
    const choice = new AdaptiveCompression();
    // 16 messages in 50 ms: 335 MB/s. Each one takes 50 ms.
    for (let count = 0; count < 16; count++) choice.sending(0);
    for (let count = 0; count < 16; count++) choice.sent(MIB, 50);
    expect(choice.current).toBe('none');
  });

  it('compresses again when the link is the limit, and pauses longer after each failed try', () => {
    const choice = new AdaptiveCompression();
    let nowMs = send(choice, { ...FAST, fromMs: 0 });
    nowMs = send(choice, { ...SLOW, fromMs: nowMs });
    expect(choice.current).toBe('lz4');
    send(choice, { ...FAST, fromMs: nowMs + MINUTE_MS - 1000 });
    expect(choice.current).toBe('lz4');
    nowMs = send(choice, { ...FAST, fromMs: nowMs + MINUTE_MS });
    expect(choice.current).toBe('none');
    nowMs = send(choice, { ...SLOW, fromMs: nowMs });
    expect(choice.current).toBe('lz4');
    send(choice, { ...FAST, fromMs: nowMs + MINUTE_MS });
    expect(choice.current).toBe('lz4');
    send(choice, { ...FAST, fromMs: nowMs + 2 * MINUTE_MS });
    expect(choice.current).toBe('none');
  });

  it('does not compress again for a link between the two speeds', () => {
    const choice = new AdaptiveCompression();
    const nowMs = send(choice, { ...FAST, fromMs: 0 });
    send(choice, { bytesPerMs: 200_000, mib: 64, fromMs: nowMs });
    expect(choice.current).toBe('none');
  });
});
