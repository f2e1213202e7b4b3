import { writtenName } from '../../expressions/written-name.ts';
import type { Field, FieldType } from './log-requests.ts';

/** Counts the fields of records, and their values. */
export class FieldCounts {
  readonly #fields = new Map<string, Counted>();
  #isComplete = true;

  /** false: there were more fields than are counted. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** A value of a column; null: the record has none. */
  addColumn(name: string, value: string | number | null): void {
    if (value === null) return;
    const key = `column ${name}`;
    const counted = this.#fieldOf(key, () => ({ name, kind: 'column' }));
    counted?.addRecord([value]);
  }

  /** The attributes of one record: nested objects are fields with a path. */
  addAttributes(attributes: object, path: readonly string[] = []): void {
    for (const [key, value] of Object.entries(attributes) as [string, unknown][]) {
      const own = [...path, key];
      if (isObject(value) && path.length < MAX_DEPTH && Object.keys(value).length > 0)
        this.addAttributes(value, own);
      else if (value !== null) this.#addAttribute(own, value);
    }
  }

  /** The most frequent first. */
  list(): readonly Field[] {
    return [...this.#fields.values()]
      .map((counted) => counted.field())
      .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, MAX_FIELDS);
  }

  #addAttribute(path: readonly string[], value: unknown): void {
    const counted = this.#fieldOf(JSON.stringify(path), () => ({
      name: writtenName(path),
      kind: 'attribute',
    }));
    // A condition is true for a list if it is for any of its elements.
    counted?.addRecord(Array.isArray(value) ? (value as readonly unknown[]) : [value]);
  }

  #fieldOf(key: string, named: () => Pick<Field, 'name' | 'kind'>): Counted | undefined {
    const found = this.#fields.get(key);
    if (found !== undefined) return found;
    if (this.#fields.size >= MAX_FIELDS) {
      this.#isComplete = false;
      return undefined;
    }
    const added = new Counted(named());
    this.#fields.set(key, added);
    return added;
  }
}

const MAX_FIELDS = 500;
const MAX_DEPTH = 8;
const TOP_VALUES = 10;
/** A longer value is not offered for a condition. */
const MAX_VALUE = 256;

class Counted {
  readonly #named: Pick<Field, 'name' | 'kind'>;
  readonly #values = new Map<string, number>();
  readonly #types = new Set<FieldType>();
  #count = 0;

  constructor(named: Pick<Field, 'name' | 'kind'>) {
    this.#named = named;
  }

  addRecord(values: readonly unknown[]): void {
    this.#count++;
    for (const value of values) this.#types.add(typeOf(value));
    for (const text of new Set(values.map(textOf))) this.#values.set(text, (this.#values.get(text) ?? 0) + 1);
  }

  field(): Field {
    const values = [...this.#values]
      .filter(([value]) => value.length <= MAX_VALUE)
      .toSorted(([a, first], [b, second]) => second - first || (a < b ? -1 : 1))
      .slice(0, TOP_VALUES)
      .map(([value, count]) => ({ value, count }));
    const [type = 'json'] = this.#types;
    return {
      ...this.#named,
      type: this.#types.size > 1 ? 'mixed' : type,
      count: this.#count,
      distinct: this.#values.size,
      values,
    };
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): FieldType {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value !== 'string') return 'json';
  return TIME.test(value) ? 'time' : 'text';
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
