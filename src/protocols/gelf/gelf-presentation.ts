import { GelfEncoder, type GelfEncoderOptions } from './gelf-encoder.ts';
import type { GelfMessage } from './gelf-message.ts';
import { PacketCodec, type PacketCodecOptions } from './packet-codec.ts';
import { frameMessage, type GelfDelimiter } from './stream-codec.ts';

/**
 * Encodes messages for a transport. undefined: the message cannot be cut to the size that this presentation
 * requires.
 */
export interface GelfPresentation {
  present(message: GelfMessage): PresentedMessage | undefined;
}

/** An encoded message. */
export interface PresentedMessage {
  /** Datagrams: one packet each, all or none. Streams: one frame. */
  readonly packets: readonly Uint8Array[];
  readonly cutBytes: number;
  readonly unknownLevel: boolean;
}

/** Below Graylog's limit for one frame, 2 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES = 2_000_000;
/** Enough for host, time, and the beginning of a text. */
export const MIN_MESSAGE_BYTES = 1024;
/** Graylog's limit for one decompressed message. */
export const MAX_MESSAGE_BYTES = 8_388_608;

export interface GelfPresentationOptions extends GelfEncoderOptions, PacketCodecOptions {
  /** Streams only: the delimiter after a message. Default `null`, which Graylog expects. */
  readonly delimiter?: GelfDelimiter | undefined;
  /** Maximum message size before compression. Longer ones are truncated with a marker. Default 2,000,000. */
  readonly maxMessageBytes?: number | undefined;
}

/** Creates the presentation for a kind of transport. Throws RangeError for invalid sizes. */
export function gelfPresentation(
  kind: 'packets' | 'stream',
  options: GelfPresentationOptions = {},
): GelfPresentation {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  if (!(maxMessageBytes >= MIN_MESSAGE_BYTES && maxMessageBytes <= MAX_MESSAGE_BYTES)) {
    throw new RangeError(
      `the maximum message size must be ${MIN_MESSAGE_BYTES} to ${MAX_MESSAGE_BYTES} bytes, got ${maxMessageBytes}`,
    );
  }
  const encoder = new GelfEncoder(options);
  return kind === 'packets'
    ? packetPresentation(encoder, new PacketCodec(options), maxMessageBytes)
    : streamPresentation(encoder, options.delimiter, maxMessageBytes);
}

export function streamPresentation(
  encoder: GelfEncoder,
  delimiter: GelfDelimiter = 'null',
  maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
): GelfPresentation {
  return {
    present(message) {
      const encoded = encoder.encode(message, maxMessageBytes);
      return encoded && { ...encoded, packets: [frameMessage(encoded.json, delimiter)] };
    },
  };
}

/**
 * Cuts a message that 128 chunks cannot carry. The size is known only after compression, so it is reduced in
 * steps.
 */
export function packetPresentation(
  encoder: GelfEncoder,
  codec: PacketCodec,
  maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
): GelfPresentation {
  return {
    present(message) {
      let maxBytes = maxMessageBytes;
      for (;;) {
        const encoded = encoder.encode(message, maxBytes);
        if (encoded === undefined) return undefined;
        const { packets, payloadBytes } = codec.encode(encoded.json);
        if (packets !== undefined) return { ...encoded, packets };
        // A payload is never longer than its JSON: it fits at the latest at the capacity itself.
        const ratio = codec.capacityBytes / payloadBytes;
        maxBytes = Math.max(codec.capacityBytes, Math.floor(encoded.json.length * ratio * 0.9));
      }
    },
  };
}
