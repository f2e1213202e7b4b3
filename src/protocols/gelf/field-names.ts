/** Converts names to legal ones, with a cache: messages repeat the same names. */
export class FieldNames {
  #known = new Map<string, FieldName | undefined>();

  /** undefined if nothing legal is left. */
  legal(given: string): FieldName | undefined {
    const known = this.#known.get(given);
    if (known !== undefined || this.#known.has(given)) return known;
    const made = fieldName(given);
    // Names may come from other programs, so the cache is limited.
    if (this.#known.size >= MAX_KNOWN_NAMES) this.#known = new Map();
    if (given.length <= MAX_NAME_LENGTH) this.#known.set(given, made);
    return made;
  }
}

/** A name as it is sent, without its underscore, and its form in Graylog's index, which has no dots. */
export interface FieldName {
  readonly name: string;
  readonly indexed: string;
}

const MAX_NAME_LENGTH = 250;
const MAX_KNOWN_NAMES = 4096;

/**
 * Names that would be lost, without the underscore, which Graylog strips: the specification forbids `id`;
 * Graylog has already set the others before it reads additional fields, and skips them silently. They get an
 * underscore at the end.
 */
const TAKEN_NAMES = new Set([
  'id',
  'host',
  'short_message',
  'full_message',
  'message',
  'source',
  'timestamp',
  'level',
  'streams',
]);

/** A name that is legal already. */
export function indexedName(name: string): FieldName {
  return { name, indexed: name.replaceAll('.', '_') };
}

function fieldName(given: string): FieldName | undefined {
  const legal = given
    .slice(0, MAX_NAME_LENGTH)
    .replace(/[^\w.-]/g, '_')
    .replace(/^_+/, '');
  // A name without an ASCII letter is spelled with the numbers of its characters.
  if (legal === '') return given === '' ? undefined : indexedName(spelledOut(given));
  // Graylog's own notes have this prefix; a record must not forge them.
  if (legal.startsWith('gl2_')) return indexedName(`user_${legal}`);
  const made = indexedName(legal);
  return TAKEN_NAMES.has(made.indexed) ? indexedName(`${legal}_`) : made;
}

const MAX_SPELLED_CHARACTERS = 32;

/** `u540d_u524d` */
function spelledOut(given: string): string {
  const characters = Array.from(given.slice(0, 2 * MAX_SPELLED_CHARACTERS)).slice(0, MAX_SPELLED_CHARACTERS);
  return characters.map((each) => `u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('_');
}
