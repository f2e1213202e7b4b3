import { type FebeFault, febeFault } from './febe-fault.ts';
import { ABSENT, LOG_FIELDS, PRESENT } from './log-fields.ts';

/**
 * The offsets of the fields of an L payload. Field i is `[starts[i], starts[i + 1])`: a nullable field with
 * its marker, a text with its NUL. The array is reused: read it before the next call.
 */
export class LogShape {
  readonly starts: Uint32Array = new Uint32Array(LOG_FIELDS.length + 1);

  /**
   * Scans the payload once for the ends of fields: a collector must know that a frame is valid, and nothing
   * else about it.
   */
  measure(payload: Uint8Array): FebeFault | undefined {
    let offset = 0;
    for (let index = 0; index < KINDS.length; index++) {
      this.starts[index] = offset;
      const kind = KINDS[index];
      if (kind === NULLABLE) {
        const marker = payload[offset++];
        if (marker !== ABSENT && marker !== PRESENT) return badField(index, 'must begin with N or P', marker);
      }
      if (kind === TEXT || kind === NULLABLE) offset = payload.indexOf(0, offset) + 1;
      else offset += kind ?? 0;
      if (offset === 0 || offset > payload.length) return badField(index, 'does not end in the frame');
    }
    this.starts[KINDS.length] = offset;
    if (offset < payload.length)
      return febeFault('bad record', `${payload.length - offset} bytes follow the last field`);
    return undefined;
  }
}

/** Indexes of single fields. */
export const SHAPE_INDEX = {
  pid: LOG_FIELDS.findIndex(({ name }) => name === 'Pid'),
  sessionId: LOG_FIELDS.findIndex(({ name }) => name === 'SessionId'),
  sequence: LOG_FIELDS.findIndex(({ name }) => name === 'SeqNum'),
} as const;

const TEXT = -1;
const NULLABLE = -2;
/** The width of each field, or one of the two constants above. */
const KINDS = Int8Array.from(LOG_FIELDS, ({ type }) => {
  switch (type) {
    case 'text':
      return TEXT;
    case 'nullable':
      return NULLABLE;
    case 'int32':
      return 4;
    case 'int64':
    case 'uint64':
      return 8;
  }
});

function badField(index: number, what: string, marker?: number): FebeFault {
  const name = LOG_FIELDS[index]?.name ?? '';
  const found = marker === undefined ? '' : `, got 0x${marker.toString(16).padStart(2, '0')}`;
  return febeFault('bad record', `field ${index + 1} of 23 (${name}) ${what}${found}`);
}
