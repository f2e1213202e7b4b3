/** A number of records, and their bytes. */
export interface Amount {
  readonly records: number;
  readonly bytes: number;
}

export const NOTHING: Amount = { records: 0, bytes: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

export function minus(a: Amount, b: Amount): Amount {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}

export function sumOf(amounts: Iterable<Amount>): Amount {
  let sum = NOTHING;
  for (const amount of amounts) sum = plus(sum, amount);
  return sum;
}
