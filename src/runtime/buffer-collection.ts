import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Both halves move gigabytes through few objects: the bytes of buffers are outside of V8's heap, and V8 frees
 * them when it collects the small objects that own them. V8 knows too little about these bytes and makes two
 * opposite mistakes.
 */

const SMALL_HEAP = { belowBytes: 16 * 1024 * 1024, growingPercent: 200 };
const LARGE_HEAP_GROWING_PERCENT = 30;

/**
 * V8 counts buffers against its heap limit, which is small because this heap is: it then collects the whole
 * heap for each 15 MB that pass, which uses a quarter of an aggregator's processor time. With more room to
 * grow, the heap is collected a third as often, and the resident memory stays the same.
 *
 * `lastingBytes`: objects in the heap that stay, such as those of followed files. With many of them, the same room would
 * be hundreds of megabytes, and a smaller part of the heap is room enough.
 */
export function collectBuffersLessOften(lastingBytes = 0): void {
  const isSmall = lastingBytes < SMALL_HEAP.belowBytes;
  const percent = isSmall ? SMALL_HEAP.growingPercent : LARGE_HEAP_GROWING_PERCENT;
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/**
 * Buffers with a short life, such as a collector's sent messages, would accumulate tens of megabytes until
 * the whole heap is collected. A collection of the young objects alone takes a fraction of a millisecond: one
 * for every few megabytes limits them at no measurable cost.
 */
export function minorGcEvery(everyBytes: number): (bytes: number) => void {
  let collect: CollectGarbage | undefined;
  let bytesSince = 0;
  return (bytes) => {
    bytesSince += bytes;
    if (bytesSince < everyBytes) return;
    bytesSince = 0;
    collect ??= exposedCollector();
    collect({ type: 'minor' });
  };
}

/**
 * Collects the whole heap; V8 returns the free pages to the system soon after. It stops the thread for 2 to 3 ms for each
 * MB that stays: the caller calls it when there is nothing else to do. An idle process with a large heap would keep the
 * garbage of its busy time for hours.
 */
export function collectEverything(): void {
  // With options, Node 20 collects the young objects only.
  exposedCollector()();
}

type CollectGarbage = (options?: { readonly type: 'minor' }) => void;

/** Only a new context has the function. It costs time and memory that an idle process does not need. */
function exposedCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
