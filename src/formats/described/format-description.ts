import { parseJsonOptions } from '../json-options.ts';
import { compileAccessFormat } from './access-pattern.ts';

/** A format as an operator names it: its name, and the options that travel with the records. */
export interface FormatDescription {
  readonly name: string;
  /** The value of the attribute `megacollector.format_options`; undefined: none. */
  readonly options: string | undefined;
}

/**
 * Reads `access:FORMAT` (a `log_format` or `LogFormat`), `json?time=ts&level=lvl`, `cri:FORMAT` with one of these
 * for the messages, or the name of a format. Returns the reason as a text if the description is not valid. A name is not checked here.
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
  const container = CONTAINERS.find((name) => text.startsWith(`${name}:`));
  if (container !== undefined) return parseContainer(container, text.slice(container.length + 1).trim());
  return { name: text, options: undefined };
}

/** The options of the format of a container runtime describe the format of the messages. */
function parseContainer(name: string, options: string): FormatDescription | string {
  const inner = parseFormatDescription(options);
  if (typeof inner === 'string') return inner;
  if (inner.name === '' || inner.name === 'auto' || CONTAINERS.includes(inner.name))
    return `expected the format of the messages after "${name}:", found "${options}"`;
  return { name, options };
}

/**
 * The name of the described format of the messages; undefined for other formats, and if the messages have no
 * described format.
 */
export function innerFormatName({ name, options }: FormatDescription): string | undefined {
  if (!CONTAINERS.includes(name) || options === undefined) return undefined;
  const inner = parseFormatDescription(options);
  return typeof inner === 'string' ? undefined : inner.name;
}

/** The formats of container runtimes, whose messages have a format of their own. */
const CONTAINERS: readonly string[] = ['cri', 'docker-json'];

const ACCESS = 'access:';
const JSON_QUERY = 'json?';
