import type { AttributeValue } from '../../records/log-record.ts';

/** The syntax in which a container runtime writes the lines of a log. */
export interface ContainerLineSyntax {
  readonly name: string;
  /** The name of such a line, for a sentence: `a line of a CRI log`. */
  readonly lineName: string;
  /**
   * Reads the line `[start, end)` of `bytes`, without its line ending, as far as it is necessary to join lines.
   * Undefined for a line of another syntax.
   */
  shapeOf(bytes: Buffer, start: number, end: number): LineShape | undefined;
  contentOf(bytes: Buffer, start: number, end: number): LineContent | undefined;
}

export interface LineShape {
  readonly iostream: IoStream;
  /** The program has not ended its line here: the next line of the same stream continues it. */
  readonly isPartial: boolean;
}

export interface LineContent extends LineShape {
  /** The time at which the runtime has received the line. */
  readonly time: string;
  /** The bytes that the program has written, without the end of its line. */
  readonly message: Buffer;
  /** Tags, labels and variables of the options of the logging driver. */
  readonly attributes?: { readonly [name: string]: AttributeValue } | undefined;
}

export type IoStream = 'stdout' | 'stderr';
