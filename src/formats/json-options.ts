import type { SeverityNumber } from '../records/log-record.ts';
import { severityOfName } from './severity.ts';
import { type FieldKeys, USUAL_KEYS } from './take-fields.ts';

/**
 * The keys of a JSON format that the operator has described, in the form of a query:
 *
 *     time=ts&level=lvl&message=text&levels=1:error,2:warn
 *
 * A key that is not described has its usual names. Returns the reason as a text if the options are not valid.
 */
export function parseJsonOptions(options: string): FieldKeys | string {
  const found = new URLSearchParams(options);
  const unknown = [...found.keys()].find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) return `expected the options ${OPTIONS.join(', ')}, found "${unknown}"`;
  const empty = [...found].find(([, value]) => value === '');
  if (empty !== undefined) return `expected a value of "${empty[0]}", found none`;
  const levels = found.get('levels');
  const severities = levels === null ? undefined : parseLevels(levels);
  if (typeof severities === 'string') return severities;
  const keysOf = (option: string, usual: readonly string[]) =>
    found.has(option) ? found.getAll(option) : usual;
  return {
    time: keysOf('time', USUAL_KEYS.time),
    level: keysOf('level', USUAL_KEYS.level),
    message: keysOf('message', USUAL_KEYS.message),
    ...(severities === undefined ? {} : { levels: severities }),
  };
}

const OPTIONS: readonly string[] = ['time', 'level', 'message', 'levels'];

/** The keys for the options of a source; the usual ones if there are no valid options. */
export function jsonKeysOf(options: string | undefined): FieldKeys {
  if (options === undefined) return USUAL_KEYS;
  if (last.options !== options) {
    const parsed = parseJsonOptions(options);
    last = { options, keys: typeof parsed === 'string' ? USUAL_KEYS : parsed };
  }
  return last.keys;
}

/** The last options: all records of a batch have the same. */
let last: { readonly options: string; readonly keys: FieldKeys } = { options: '', keys: USUAL_KEYS };

/** `1:error,2:warn`: a level as the logger writes it, and the severity that it means. */
function parseLevels(text: string): ReadonlyMap<string, SeverityNumber> | string {
  const levels = new Map<string, SeverityNumber>();
  for (const pair of text.split(',')) {
    const colon = pair.lastIndexOf(':');
    const severity = colon < 1 ? undefined : severityOfName(pair.slice(colon + 1));
    if (severity === undefined) return `expected levels such as "1:error,2:warn", found "${pair}"`;
    levels.set(pair.slice(0, colon).trim().toLowerCase(), severity);
  }
  return levels;
}
