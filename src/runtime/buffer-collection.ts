import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Both halves move gigabytes through few objects: the bytes of buffers are outside of V8's heap, and V8 frees
 * them when it collects the small objects that own them. V8 knows too little about these bytes and makes two
 * opposite mistakes.
 */

/**
 * V8 counts buffers against its heap limit, which is small because this heap is: it then collects the whole
 * heap for each 15 MB that pass, which uses a quarter of an aggregator's processor time. With more room to
 * grow, the heap is collected a third as often, and the resident memory stays the same.
 */
export function collectBuffersLessOften(): void {
  setFlagsFromString('--heap-growing-percent=200');
}

/**
 * The heap of a collector grows with the number of its files, and the start of many files makes much garbage: a heap that
 * may become three times as large remains so in pieces that are not returned. A collector frees its buffers with
 * `minorGcEvery`.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
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
 * Collects the whole heap and moves its objects together. V8 returns the pages that one collection has emptied to
 * the system in the next one.
 */
export function collectAndCompact(): void {
  const collect = exposedCollector();
  setFlagsFromString('--compact-on-every-full-gc');
  collect();
  collect();
  setFlagsFromString('--no-compact-on-every-full-gc');
}

/** Without options: the whole heap. */
type CollectGarbage = (options?: { readonly type: 'minor' }) => void;

/** Only a new context has the function. It costs time and memory that an idle process does not need. */
function exposedCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
