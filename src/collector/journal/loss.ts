/** Records that were dropped because there was no room. JSON, so that it can be stored. */
export interface Loss {
  readonly records: number;
  readonly bytes: number;
  /** Times of the first and the last one. */
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
}

export function addLoss(loss: Loss | undefined, bytes: number, nowUnixMs: number): Loss {
  if (loss === undefined) return { records: 1, bytes, fromUnixMs: nowUnixMs, toUnixMs: nowUnixMs };
  return { ...loss, records: loss.records + 1, bytes: loss.bytes + bytes, toUnixMs: nowUnixMs };
}

/** The remainder of a loss after a part was reported. */
export function withoutLoss(loss: Loss | undefined, reported: Loss): Loss | undefined {
  if (loss === undefined || loss.records <= reported.records) return undefined;
  return {
    records: loss.records - reported.records,
    bytes: loss.bytes - reported.bytes,
    fromUnixMs: reported.toUnixMs,
    toUnixMs: loss.toUnixMs,
  };
}
