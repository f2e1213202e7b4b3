/** Properties of a message. RabbitMQ shows them to consumers of AMQP 0.9.1 with these names. */
export interface StreamMessageProperties {
  readonly messageId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly type?: string | undefined;
  readonly appId?: string | undefined;
}

const NULL = Buffer.of(0x40);
/** Sections of an AMQP 1.0 message: a described value with this code. */
const PROPERTIES = Buffer.of(0x00, 0x53, 0x73);
const APPLICATION_PROPERTIES = Buffer.of(0x00, 0x53, 0x74);
const DATA = Buffer.of(0x00, 0x53, 0x75);
const MAX_SHORT = 255;

/** Encodes an AMQP 1.0 message with one data section: the format of the messages in a stream. */
export function encodeAmqpMessage(content: Uint8Array, properties: StreamMessageProperties): Buffer {
  const { messageId, contentType, type, appId } = properties;
  // message-id, user-id, to, subject, reply-to, correlation-id, content-type
  const fields = [sizedText(messageId), NULL, NULL, NULL, NULL, NULL, sizedText(contentType, SYMBOL)];
  // These have no field in AMQP 1.0: the broker keeps them here.
  const pairs = [
    ['x-basic-type', type],
    ['x-basic-app-id', appId],
  ].flatMap(([key, value]) => (value === undefined ? [] : [sizedText(key), sizedText(value)]));
  return Buffer.concat([
    ...[PROPERTIES, compound(LIST, fields)],
    ...(pairs.length === 0 ? [] : [APPLICATION_PROPERTIES, compound(MAP, pairs)]),
    ...[DATA, sized(BINARY, content.length), content],
  ]);
}

/** The codes of a type with a size of one byte, and of four. */
type Codes = readonly [short: number, long: number];

const BINARY: Codes = [0xa0, 0xb0];
const STRING: Codes = [0xa1, 0xb1];
const SYMBOL: Codes = [0xa3, 0xb3];
const LIST: Codes = [0xc0, 0xd0];
const MAP: Codes = [0xc1, 0xd1];

function sizedText(text: string | undefined, codes: Codes = STRING): Buffer {
  if (text === undefined) return NULL;
  const bytes = Buffer.from(text);
  return Buffer.concat([sized(codes, bytes.length), bytes]);
}

function sized([short, long]: Codes, bytes: number): Buffer {
  if (bytes <= MAX_SHORT) return Buffer.of(short, bytes);
  const header = Buffer.allocUnsafe(5);
  header.writeUInt8(long, 0);
  header.writeUInt32BE(bytes, 1);
  return header;
}

/** The size includes the count. */
function compound([short, long]: Codes, values: readonly Buffer[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  if (bytes < MAX_SHORT) return Buffer.concat([Buffer.of(short, bytes + 1, values.length), ...values]);
  const header = Buffer.allocUnsafe(9);
  header.writeUInt8(long, 0);
  header.writeUInt32BE(bytes + 4, 1);
  header.writeUInt32BE(values.length, 5);
  return Buffer.concat([header, ...values]);
}
