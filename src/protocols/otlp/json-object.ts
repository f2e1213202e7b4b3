import { OtlpFault } from './otlp-fault.ts';

/** Reads the fields of an object of OTLP in JSON. Unknown fields are ignored, and null is an absent field. */
export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #place: string;

  /** Throws an OtlpFault when the value is no object. */
  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new OtlpFault(`${place} must be an object.`);
    this.#fields = value as Readonly<Record<string, unknown>>;
    this.#place = place;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name) && this.#fields[name] !== null;
  }

  object(name: string): JsonObject | undefined {
    return this.has(name) ? new JsonObject(this.#fields[name], name) : undefined;
  }

  list(name: string): readonly JsonObject[] {
    if (!this.has(name)) return [];
    const list = this.#fields[name];
    if (!Array.isArray(list)) throw this.#expected(name, 'a list');
    return list.map((each) => new JsonObject(each, `an element of ${name}`));
  }

  text(name: string): string {
    if (!this.has(name)) return '';
    const text = this.#fields[name];
    if (typeof text !== 'string') throw this.#expected(name, 'a text');
    return text;
  }

  boolean(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.#expected(name, 'true or false');
    return value;
  }

  /** A number, or a text with it: `NaN` and `Infinity` are texts. */
  double(name: string): number {
    const value = this.#fields[name];
    if (typeof value === 'number') return value;
    const isNumber =
      typeof value === 'string' && /^(-?Infinity|NaN|-?[0-9.]+([eE][-+]?[0-9]+)?)$/.test(value);
    if (!isNumber) throw this.#expected(name, 'a number');
    return Number(value);
  }

  /** A 64-bit integer is a text in JSON, and a number is accepted. */
  integer(name: string, { min, max }: IntegerRange): bigint {
    if (!this.has(name)) return 0n;
    const value = this.#fields[name];
    const isInteger = Number.isInteger(value) || (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value));
    const integer = isInteger ? BigInt(value as string | number) : undefined;
    if (integer === undefined || integer < min || integer > max)
      throw this.#expected(name, `an integer from ${min} to ${max}`);
    return integer;
  }

  #expected(name: string, what: string): OtlpFault {
    return new OtlpFault(`${name} in ${this.#place} must be ${what}.`);
  }
}

export interface IntegerRange {
  readonly min: bigint;
  readonly max: bigint;
}

export const INT32: IntegerRange = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
export const INT64: IntegerRange = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
export const UINT32: IntegerRange = { min: 0n, max: 2n ** 32n - 1n };
export const UINT64: IntegerRange = { min: 0n, max: 2n ** 64n - 1n };
