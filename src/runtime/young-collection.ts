import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Lets go of dead buffers in time.
 *
 * A buffer's bytes lie outside of V8's heap and are freed when V8 collects the object that holds them. V8 collects when
 * its own heap fills up; a collector moves gigabytes through a handful of objects, so dead buffers pile up to some 64 MB
 * before V8 minds. A collection of the young objects alone takes a fraction of a millisecond: one for every few megabytes
 * keeps the pile small, at no measurable cost.
 */
export function youngCollection(everyBytes: number): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  let bytesSince = 0;
  return (bytes) => {
    bytesSince += bytes;
    if (bytesSince < everyBytes) return;
    bytesSince = 0;
    collect({ type: 'minor' });
  };
}
