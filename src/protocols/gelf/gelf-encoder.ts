import { hostname } from 'node:os';
import { AdditionalFieldsBuilder, type AdditionalFieldsOptions } from './additional-fields.ts';
import { cutText } from './cut-text.ts';
import { FieldNames } from './field-names.ts';
import { type FittedJson, fitDocument } from './fit-document.ts';
import type { GelfDocument } from './gelf-document.ts';
import { type GelfLevel, levelOf } from './gelf-level.ts';
import type { GelfMessage } from './gelf-message.ts';

/** The application layer: fills in defaults and turns a message into its JSON. */
export class GelfEncoder {
  readonly #options: GelfEncoderOptions;
  readonly #host: string;
  readonly #level: GelfLevel;
  readonly #now: () => number;
  readonly #names = new FieldNames();

  constructor(options: GelfEncoderOptions = {}) {
    this.#options = options;
    this.#host = options.host?.trim() || hostname() || 'localhost';
    this.#level = options.level ?? 6;
    this.#now = options.now ?? Date.now;
  }

  /** The message as JSON of at most `maxBytes`; undefined if it cannot be cut to this size. */
  encode(message: GelfMessage, maxBytes: number): EncodedGelf | undefined {
    const fields = new AdditionalFieldsBuilder(this.#options, this.#names);
    if (message.fields !== undefined) {
      const entries = message.fields instanceof Map ? message.fields : Object.entries(message.fields);
      for (const [name, value] of entries) fields.add(String(name), value);
    }
    const level = levelOf(message.level);
    const document: GelfDocument = {
      host: cutText(isBlank(message.host ?? '') ? this.#host : (message.host ?? '').trim(), MAX_HOST_BYTES)
        .text,
      shortMessage: isBlank(message.shortMessage) ? '(empty)' : message.shortMessage,
      fullMessage: message.fullMessage || undefined,
      timestamp: this.#timestamp(message.timestamp),
      level: level ?? this.#level,
      fields: fields.fields,
    };
    const fitted = fitDocument(document, maxBytes);
    return (
      fitted && {
        json: fitted.json,
        cutBytes: fitted.cutBytes + fields.cutBytes,
        unknownLevel: level === undefined && message.level !== undefined,
      }
    );
  }

  /** In seconds. Graylog treats zero and times before 1970 as "no time". */
  #timestamp(timestamp: Date | number | undefined): number {
    const given = timestamp instanceof Date ? timestamp.getTime() / 1000 : timestamp;
    if (given === undefined || !Number.isFinite(given) || given <= 0) return this.#now() / 1000;
    return given > MILLISECONDS_FROM ? given / 1000 : given;
  }
}

export interface GelfEncoderOptions extends AdditionalFieldsOptions {
  /** The host of messages without one. Default: the name of this host. */
  readonly host?: string | undefined;
  /** The level of messages without a valid one. Default 6, informational. */
  readonly level?: GelfLevel | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

export interface EncodedGelf extends FittedJson {
  /** The level of the message was invalid; the default replaces it. */
  readonly unknownLevel: boolean;
}

const MAX_HOST_BYTES = 255;
const MILLISECONDS_FROM = 1e11;

/** Graylog uses Java's definition of blanks, which includes the separators U+001C to U+001F. */
function isBlank(text: string): boolean {
  return Array.prototype.every.call(
    text,
    (each: string) => each.trim() === '' || (each >= '\x1c' && each <= '\x1f'),
  );
}
