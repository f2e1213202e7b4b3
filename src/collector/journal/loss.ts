/** Records that came while there was no room for them. JSON, so that it can be kept. */
export interface Loss {
  readonly records: number;
  readonly bytes: number;
  /** When the first and the last of them came. */
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
}

export function addLoss(loss: Loss | undefined, bytes: number, nowUnixMs: number): Loss {
  if (loss === undefined) return { records: 1, bytes, fromUnixMs: nowUnixMs, toUnixMs: nowUnixMs };
  return { ...loss, records: loss.records + 1, bytes: loss.bytes + bytes, toUnixMs: nowUnixMs };
}

/** What is left to be told when a part has been. */
export function withoutLoss(loss: Loss | undefined, told: Loss): Loss | undefined {
  if (loss === undefined || loss.records <= told.records) return undefined;
  return {
    records: loss.records - told.records,
    bytes: loss.bytes - told.bytes,
    fromUnixMs: told.toUnixMs,
    toUnixMs: loss.toUnixMs,
  };
}
