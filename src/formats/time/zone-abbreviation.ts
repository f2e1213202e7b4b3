/**
 * The zone that an abbreviation names; undefined: the letters are no zone that is known. `offsetMinutes`
 * undefined: the abbreviation has several meanings (`IST` is in India, Ireland and Israel), so the configured
 * zone applies.
 */
export function abbreviatedZone(bytes: Uint8Array, at: number, length: number): AbbreviatedZone | undefined {
  let letters = 0;
  for (let index = at; index < at + length; index++) letters = packed(letters, bytes[index] ?? 0);
  return ZONES.get(letters);
}

interface AbbreviatedZone {
  readonly offsetMinutes: number | undefined;
}

const HOURS: Readonly<Record<string, number | undefined>> = {
  ...{ UTC: 0, GMT: 0, UCT: 0, WET: 0 },
  // RFC 822; of `CST`, which is in China, too, the American meaning is the usual one in logs.
  ...{ EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{ CET: 1, CEST: 2, MET: 1, MEST: 2, MEZ: 1, MESZ: 2, WEST: 1, EET: 2, EEST: 3, MSK: 3 },
  ...{ JST: 9, KST: 9, HKT: 8, AWST: 8, ACST: 9.5, ACDT: 10.5, AEST: 10, AEDT: 11, NZST: 12, NZDT: 13 },
  ...{ AKST: -9, AKDT: -8, HST: -10, NST: -3.5, NDT: -2.5, SAST: 2, BRT: -3, BRST: -2, PKT: 5 },
  ...{ IST: undefined, BST: undefined, AST: undefined, ADT: undefined, SST: undefined, ART: undefined },
};

/** At most five capital letters as a number: a look-up of a new text takes longer. */
function packed(letters: number, letter: number): number {
  return (letters << 5) | (letter & 0x1f);
}

const ZONES: ReadonlyMap<number, AbbreviatedZone> = new Map(
  Object.entries(HOURS).map(([name, hours]) => [
    Buffer.from(name).reduce(packed, 0),
    { offsetMinutes: hours === undefined ? undefined : hours * 60 },
  ]),
);
