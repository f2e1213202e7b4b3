import { cutText } from './cut-text.ts';

/** Additional fields as they go on the wire: legal unique names, with their underscore; strings and finite numbers. */
export type AdditionalFields = Map<string, string | number>;

export interface AdditionalFieldsOptions {
  /** How a boolean is sent; Graylog drops JSON's own. Default `string`: `"true"`; `number`: 1. */
  readonly booleans?: 'string' | 'number' | undefined;
  /** `flatten` (default): `{a: {b: 1}}` is `_a.b`; `json`: `_a` is `{"b":1}` as text, as Graylog itself would do. */
  readonly objects?: 'flatten' | 'json' | undefined;
  /** A longer text is cut, with a marker. Default 32766: the longest term that Lucene indexes. */
  readonly maxValueBytes?: number | undefined;
}

const DEFAULT_MAX_VALUE_BYTES = 32_766;
const MAX_NAME_LENGTH = 250;
const MAX_DEPTH = 5;

/**
 * Names that would be lost, without the underscore, which Graylog strips: `id` is forbidden by the specification;
 * the others are Graylog's own and already set when it comes to the additional fields, so that these are skipped
 * without a word. They get an underscore at their end.
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

/** Collects additional fields and makes them such that none is lost on the way into Graylog's index. */
export class AdditionalFieldsBuilder {
  readonly fields: AdditionalFields = new Map();
  /** How many bytes were cut from values. */
  cutBytes = 0;
  readonly #options: AdditionalFieldsOptions;
  /** The names as the index will have them: it knows no dots. */
  readonly #indexedNames = new Set<string>();

  constructor(options: AdditionalFieldsOptions) {
    this.#options = options;
  }

  add(name: string, value: unknown): void {
    this.#add(name, value, 0);
  }

  #add(name: string, value: unknown, depth: number): void {
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
    const legal = legalName(name);
    if (legal === undefined) return;
    const unique = this.#unique(legal);
    this.#indexedNames.add(indexedName(unique));
    this.fields.set(`_${unique}`, value);
  }

  #unique(name: string): string {
    if (!this.#indexedNames.has(indexedName(name))) return name;
    for (let number = 2; ; number++) {
      const numbered = `${name}_${number}`;
      if (!this.#indexedNames.has(indexedName(numbered))) return numbered;
    }
  }
}

/** The name without underscores before it, in legal characters; undefined when nothing is left of it. */
function legalName(name: string): string | undefined {
  const legal = name
    .slice(0, MAX_NAME_LENGTH)
    .replace(/[^\w.-]/g, '_')
    .replace(/^_+/, '');
  if (legal === '') return undefined;
  // Graylog writes its own notes under this prefix; a record must not forge them.
  if (legal.startsWith('gl2_')) return `user_${legal}`;
  return TAKEN_NAMES.has(indexedName(legal)) ? `${legal}_` : legal;
}

function indexedName(name: string): string {
  return name.replaceAll('.', '_');
}

function isPlain(value: object): boolean {
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** undefined: JSON cannot say it (a cycle, a bigint within). */
function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value);
  } catch {
    return undefined;
  }
}
