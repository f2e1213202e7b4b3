import { parseJsonOptions } from '../json-options.ts';
import { compileAccessFormat } from './access-pattern.ts';

/** A format as an operator names it: its name, and the options that travel with the records. */
export interface FormatDescription {
  readonly name: string;
  /** The value of the attribute `megacollector.format_options`; undefined: none. */
  readonly options: string | undefined;
}

/**
 * Reads `access:FORMAT` (a `log_format` or `LogFormat`), `json?time=ts&level=lvl`, or the name of a format.
 * Returns the reason as a text if the description is not valid. A name is not checked here.
 */
export function parseFormatDescription(text: string): FormatDescription | string {
  if (text.startsWith(ACCESS)) {
    const options = text.slice(ACCESS.length).trim();
    const compiled = compileAccessFormat(options);
    return typeof compiled === 'string' ? compiled : { name: 'access', options };
  }
  if (text === 'access') return 'expected a description: "access:" and a log_format or LogFormat';
  if (text.startsWith(JSON_QUERY)) {
    const options = text.slice(JSON_QUERY.length);
    const parsed = parseJsonOptions(options);
    return typeof parsed === 'string' ? parsed : { name: 'json', options };
  }
  return { name: text, options: undefined };
}

const ACCESS = 'access:';
const JSON_QUERY = 'json?';
