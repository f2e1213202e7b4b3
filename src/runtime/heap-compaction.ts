import { getHeapStatistics } from 'node:v8';
import { repeat } from './async/repeat.ts';
import { collectAndCompact } from './buffer-collection.ts';
import type { Cancel, Clock } from './clock.ts';
import { utilizationMeter } from './utilization-meter.ts';

/**
 * Gives memory back that a burst of work has left. The start of ten thousand files makes much garbage between
 * the objects that remain, and V8 keeps the pages: half of its heap was empty places. It moves objects together
 * only when it decides to compact a page, which it rarely does in an idle process.
 *
 * A compaction stops the process for as long as V8 needs to move the heap (some 0.1 s for 50 MB), so it runs
 * once after a burst, and only when the process had little to do for a while.
 */
export function compactHeapWhenIdle(clock: Clock, heap: Heap = processHeap()): Cancel {
  let compactedBytes = 0;
  return repeat(clock, CHECK_EVERY_MS, () => {
    if (heap.utilization() >= IDLE_UTILIZATION) return;
    const bytes = heap.bytes();
    if (bytes < SMALL_BYTES || bytes < compactedBytes * GROWTH) return;
    heap.compact();
    compactedBytes = heap.bytes();
  });
}

const CHECK_EVERY_MS = 10_000;
/** On a busy machine, the event loop of an idle process needs more time for the same work. */
const IDLE_UTILIZATION = 0.25;
/** A heap up to this size, which a collector of a few files has, is left alone. */
const SMALL_BYTES = 48 * 1024 * 1024;
/** More than V8 permits before it collects a heap (`keepHeapSmall`): garbage alone is no reason. */
const GROWTH = 1.75;

export interface Heap {
  /** The memory of V8's heap, with its garbage and its empty places. */
  bytes(): number;
  /** The share of the time since the previous call in which the event loop worked, from 0 to 1. */
  utilization(): number;
  compact(): void;
}

function processHeap(): Heap {
  return {
    bytes: () => getHeapStatistics().total_physical_size,
    utilization: utilizationMeter(),
    compact: collectAndCompact,
  };
}
