import { forEachLogRecord } from '../../formats/record-view.ts';
import { type GelfPresentation, gelfPresentation } from '../../protocols/gelf/gelf-presentation.ts';
import { messageOfRecord } from '../../protocols/gelf/message-of-record.ts';
import { isPacketAddress } from '../../transport/transport-address.ts';
import type { EmitterContext } from '../emitter.ts';
import { openOutlet } from '../open-outlet.ts';
import { OutletEmitter } from '../outlet-emitter.ts';
import type { GelfConfiguration } from './configuration.ts';
import { GELF_EVENTS } from './events.ts';

/**
 * Sends each record as a GELF message. At-least-once to the kernel: GELF has no acknowledgements (docs/gelf.md
 * describes the consequences).
 */
export class GelfEmitter extends OutletEmitter {
  constructor(configuration: GelfConfiguration, context: EmitterContext) {
    const events = GELF_EVENTS.open({ ...context, labels: { emitter: context.name } });
    const presentation = presentationOf(configuration);
    super({
      events,
      open: (onTooLate) => openOutlet(configuration, context.clock, onTooLate),
      messagesOf: (slice) => {
        const messages: (readonly Uint8Array[])[] = [];
        forEachLogRecord(slice, (record) => {
          const presented = presentation.present(messageOfRecord(record));
          // The configured size has room for a minimal message, and everything else can be truncated.
          if (presented === undefined) throw new RangeError('Cannot truncate a message enough');
          if (presented.cutBytes > 0) events.cut({ cutBytes: presented.cutBytes });
          messages.push(presented.packets);
        });
        return messages;
      },
    });
  }
}

function presentationOf(configuration: GelfConfiguration): GelfPresentation {
  return gelfPresentation(isPacketAddress(configuration.address) ? 'packets' : 'stream', {
    host: configuration.host,
    level: configuration.level,
    booleans: configuration.booleans,
    objects: configuration.objects,
    compression: configuration.compression,
    compressionLevel: configuration.compression_level,
    datagramBytes: configuration.chunk_size,
    delimiter: configuration.delimiter,
    maxMessageBytes: configuration.max_message_bytes,
  });
}
