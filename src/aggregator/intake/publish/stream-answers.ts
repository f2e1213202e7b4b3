import { checkToBytes } from '../../../records/check.ts';
import { checksumToMessage } from '../../../records/checksum-codec.ts';
import type { StreamOpened } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { Position } from '../../../records/position.ts';
import { type StreamId, streamIdToBytes } from '../../../records/stream-id.ts';
import type { StreamOpening } from '../../../storage/queue/queue-contract.ts';

/** No stream has it as the check of its end. */
const NO_CHECK = Buffer.alloc(8);

/** The answer to a stream that was opened. */
export function openedAnswer(
  stream: StreamId,
  { end, check, checksum }: StreamOpening & { readonly kind: 'known' },
  contiguousEnd: Position,
): StreamOpened {
  return {
    stream: streamIdToBytes(stream),
    end: BigInt(end),
    contiguousEnd: BigInt(contiguousEnd),
    refusal: '',
    check: check === undefined ? Buffer.alloc(0) : checkToBytes(check),
    checksum: checksum && checksumToMessage(checksum),
  };
}

/**
 * The answer about a stream that another running process with the same collector id wrote last. Its check matches no
 * bytes, so the collector starts a new stream.
 */
export function divergedAnswer(answer: StreamOpened): StreamOpened {
  return { ...answer, check: NO_CHECK, checksum: undefined };
}

export function refusedAnswer(stream: StreamId, refusal: string): StreamOpened {
  return {
    stream: streamIdToBytes(stream),
    end: 0n,
    check: Buffer.alloc(0),
    checksum: undefined,
    contiguousEnd: 0n,
    refusal,
  };
}
