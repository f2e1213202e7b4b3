/** One message before it is written in one of the formats. */
export interface SyslogMessage {
  /** 0 to 23. */
  readonly facility: number;
  /** 0 to 7. */
  readonly severity: number;
  readonly timeUnixNano: bigint;
  /** The fields of the header; any text. An empty text means that the field is absent. */
  readonly host: string;
  readonly app: string;
  readonly processId: string;
  readonly messageId: string;
  readonly structuredData: StructuredData;
  /** Fields that only the JSON format can express. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Parameters by the id of their element. A parameter with several values is written several times. */
export type StructuredData = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export const NO_STRUCTURED_DATA: StructuredData = new Map();

/** The bytes of one message without a frame. */
export interface WrittenMessage {
  readonly bytes: Uint8Array;
  /** Number of bytes that did not fit; 0: nothing was cut. */
  readonly cutBytes: number;
}

/** The header and a few words of text always fit into this size. */
export const MIN_MESSAGE_BYTES = 1024;

export function priorityOf({ facility, severity }: Pick<SyslogMessage, 'facility' | 'severity'>): number {
  return facility * 8 + severity;
}
