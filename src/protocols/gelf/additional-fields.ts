import { cutText } from './cut-text.ts';
import { type FieldName, type FieldNames, indexedName } from './field-names.ts';

/**
 * Additional fields as they are sent: legal unique names with their underscore; strings and finite numbers.
 */
export type AdditionalFields = Map<string, string | number>;

export interface AdditionalFieldsOptions {
  /** The encoding of a boolean; Graylog drops JSON's own. Default `string`: `"true"`; `number`: 1. */
  readonly booleans?: 'string' | 'number' | undefined;
  /**
   * `flatten` (default): `{a: {b: 1}}` is `_a.b`; `json`: `_a` is `{"b":1}` as text, as in Graylog itself.
   */
  readonly objects?: 'flatten' | 'json' | undefined;
  /** A longer text is cut and marked. Default 32766: the longest term that Lucene indexes. */
  readonly maxValueBytes?: number | undefined;
}

const DEFAULT_MAX_VALUE_BYTES = 32_766;
const MAX_DEPTH = 5;
/**
 * Maximum number of values of one message, nested ones included: an object that contains itself would have no
 * end.
 */
const MAX_VALUES = 4096;
/** The number of values that were left out of a message. */
export const CUT_FIELDS = '_cut_fields';

/** Collects additional fields and converts them so that Graylog's index keeps each of them. */
export class AdditionalFieldsBuilder {
  readonly fields: AdditionalFields = new Map();
  /** The number of bytes that were cut from values, or left out as names. */
  cutBytes = 0;
  #values = 0;
  readonly #options: AdditionalFieldsOptions;
  readonly #names: FieldNames;
  /** The names in the index. */
  readonly #indexed = new Set<string>();
  readonly #numbers = new Map<string, number>();

  constructor(options: AdditionalFieldsOptions, names: FieldNames) {
    this.#options = options;
    this.#names = names;
  }

  add(name: string, value: unknown): void {
    this.#add(name, value, 0);
  }

  #add(name: string, value: unknown, depth: number): void {
    if (++this.#values > MAX_VALUES) {
      this.cutBytes += name.length;
      this.fields.set(CUT_FIELDS, this.#values - MAX_VALUES);
      return;
    }
    switch (typeof value) {
      case 'string':
        this.#set(name, this.#cut(value));
        return;
      case 'number':
        if (Number.isFinite(value)) this.#set(name, value);
        return;
      case 'boolean':
        this.#set(name, this.#options.booleans === 'number' ? Number(value) : String(value));
        return;
      case 'bigint':
        this.#set(name, Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
        return;
      case 'object':
        if (value !== null) this.#addObject(name, value, depth);
        return;
      case 'undefined':
      case 'function':
      case 'symbol':
        return;
    }
  }

  #addObject(name: string, value: object, depth: number): void {
    if (value instanceof Date) {
      if (Number.isFinite(value.getTime())) this.#set(name, value.toISOString());
    } else if (value instanceof Error) {
      this.#set(name, this.#cut(value.stack ?? String(value)));
    } else if (this.#options.objects !== 'json' && depth < MAX_DEPTH && isPlain(value)) {
      const entries = value instanceof Map ? value : Object.entries(value);
      for (const [key, inner] of entries) this.#add(`${name}.${String(key)}`, inner, depth + 1);
    } else {
      const text = jsonOf(value);
      if (text !== undefined) this.#set(name, this.#cut(text));
    }
  }

  #cut(text: string): string {
    const cut = cutText(text, this.#options.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES);
    this.cutBytes += cut.cutBytes;
    return cut.text;
  }

  #set(name: string, value: string | number): void {
    const legal = this.#names.legal(name);
    if (legal === undefined) return;
    const unique = this.#indexed.has(legal.indexed) ? this.#numbered(legal) : legal;
    this.#indexed.add(unique.indexed);
    this.fields.set(`_${unique.name}`, value);
  }

  /** Continues the count: thousands of names that become equal cost no more than others. */
  #numbered({ name, indexed }: FieldName): FieldName {
    for (let number = this.#numbers.get(indexed) ?? 2; ; number++) {
      const numbered = indexedName(`${name}_${number}`);
      if (this.#indexed.has(numbered.indexed)) continue;
      this.#numbers.set(indexed, number + 1);
      return numbered;
    }
  }
}

function isPlain(value: object): boolean {
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** undefined: JSON cannot represent it (a cycle, a nested bigint). */
function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value);
  } catch {
    return undefined;
  }
}
