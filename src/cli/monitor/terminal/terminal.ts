import { styleText } from 'node:util';
import type { Io } from '../../output/io.ts';
import type { TimeZone } from './time-text.ts';

/** The properties of the output that affect how text is printed. */
export interface Terminal {
  /**
   * A person reads the output: charts, colours and redrawing make sense. False: a pipe or a file, plain and
   * stable.
   */
  readonly isTerminal: boolean;
  /** Read for each use: people resize windows. */
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly timeZone: TimeZone;
}

export type Style = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';
export type Paint = (text: string, ...styles: readonly Style[]) => string;

const UNKNOWN_COLUMNS = 80;
const UNKNOWN_ROWS = 24;

/** `NO_COLOR` (no-color.org) disables only colours; a dumb terminal is treated as a pipe. */
export function terminalOf(
  { stdout, environment }: Pick<Io, 'stdout' | 'environment'>,
  { utc = false }: { readonly utc?: boolean } = {},
): Terminal {
  const isTerminal = stdout.isTTY === true && environment.TERM !== 'dumb';
  const hasColours = isTerminal && !environment.NO_COLOR;
  return {
    isTerminal,
    get columns() {
      return stdout.columns || UNKNOWN_COLUMNS;
    },
    get rows() {
      return (stdout as { readonly rows?: number }).rows || UNKNOWN_ROWS;
    },
    paint: hasColours ? painted : (text) => text,
    timeZone: utc ? 'utc' : 'local',
  };
}

function painted(text: string, ...styles: readonly Style[]): string {
  if (text === '' || styles.length === 0) return text;
  // The code above decides about colours, with more information than styleText has.
  return styleText([...styles], text, { validateStream: false });
}
