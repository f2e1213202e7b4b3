import { type AdditionalFields, CUT_FIELDS } from './additional-fields.ts';
import { cutText, jsonLength } from './cut-text.ts';
import { documentJson, type GelfDocument } from './gelf-document.ts';

/**
 * The document as JSON of at most `maxBytes`. Texts that are too long are cut and marked: first the full
 * message, then additional fields, the longest first, then the short message. If that is not sufficient,
 * additional fields are left out, the last one first. undefined: even the bare document does not fit.
 */
export function fitDocument(document: GelfDocument, maxBytes: number): FittedJson | undefined {
  const whole = Buffer.from(documentJson(document));
  if (whole.length <= maxBytes) return { json: whole, cutBytes: 0 };

  const budget = new Budget(whole.length - maxBytes);
  const fullMessage = document.fullMessage && budget.cut(document.fullMessage);
  const fields = cutFields(document.fields, budget);
  const shortMessage = budget.cut(document.shortMessage);
  const cut = { ...document, fullMessage, fields, shortMessage };
  const json = Buffer.from(documentJson(cut));
  if (json.length <= maxBytes) return { json, cutBytes: budget.cutBytes };
  return withoutFields(cut, json.length - maxBytes, maxBytes, budget.cutBytes);
}

export interface FittedJson {
  readonly json: Buffer;
  /** The number of missing UTF-8 bytes of the texts; 0: none. */
  readonly cutBytes: number;
}

/** A text is not cut below this size in bytes while another one can be cut. */
const KEPT_BYTES = 256;

/** Cuts one text after another until enough bytes are saved. */
class Budget {
  cutBytes = 0;
  #excess: number;

  constructor(excess: number) {
    this.#excess = excess;
  }

  cut(text: string): string {
    if (this.#excess <= 0) return text;
    const before = jsonLength(text);
    const cut = cutText(text, Math.max(KEPT_BYTES, before - this.#excess));
    this.#excess -= before - jsonLength(cut.text);
    this.cutBytes += cut.cutBytes;
    return cut.text;
  }
}

function cutFields(fields: AdditionalFields, budget: Budget): AdditionalFields {
  const result: AdditionalFields = new Map(fields);
  const texts = [...fields].filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  texts.sort((a, b) => b[1].length - a[1].length);
  for (const [name, text] of texts) result.set(name, budget.cut(text));
  return result;
}

function withoutFields(
  document: GelfDocument,
  excessBytes: number,
  maxBytes: number,
  cutBytes: number,
): FittedJson | undefined {
  const fields: AdditionalFields = new Map(document.fields);
  // Room for the number of missing fields.
  let excess = excessBytes + CUT_FIELDS.length + 12;
  let cut = cutBytes;
  let left = Number(fields.get(CUT_FIELDS) ?? 0);
  for (const [name, value] of [...document.fields].reverse()) {
    if (excess <= 0) break;
    const bytes = Buffer.byteLength(JSON.stringify([name, value])) - 1;
    fields.delete(name);
    excess -= bytes;
    cut += bytes;
    left++;
  }
  fields.set(CUT_FIELDS, left);
  const json = Buffer.from(documentJson({ ...document, fields }));
  return json.length <= maxBytes ? { json, cutBytes: cut } : undefined;
}
