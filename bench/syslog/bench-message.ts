const PAYLOAD = 'request served in 12 ms, status 200, 2326 bytes, from the cache of the first level '
  .repeat(2)
  .slice(0, 130);

/** Message `number`, without a line ending. All have the same size. */
export function benchMessage(number: number): string {
  return `<134>1 2026-11-28T10:00:00.123456Z web1 shop 4242 - - ${String(number).padStart(10, '0')} ${PAYLOAD}`;
}

export const MESSAGE_BYTES = benchMessage(0).length;
