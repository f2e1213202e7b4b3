import { frameMessage } from '../../protocols/syslog/frame-message.ts';
import { isPacketAddress } from '../../transport/transport-address.ts';
import type { EmitterContext } from '../emitter.ts';
import { openOutlet } from '../open-outlet.ts';
import { OutletEmitter } from '../outlet-emitter.ts';
import { messageSettings } from '../syslog-message-options.ts';
import { writeSlice } from '../write-slice.ts';
import { defaultMaxBytes, type SyslogConfiguration } from './configuration.ts';
import { SYSLOG_EVENTS } from './events.ts';

/**
 * Sends each record as a syslog message: a datagram, or a frame of a stream. At-least-once to the kernel, since
 * syslog has no acknowledgements (docs/syslog-output.md describes the consequences; the emitter `relp` has them).
 */
export class SyslogEmitter extends OutletEmitter {
  constructor(configuration: SyslogConfiguration, context: EmitterContext) {
    const { address, framing = 'octet' } = configuration;
    const events = SYSLOG_EVENTS.open({ ...context, labels: { emitter: context.name } });
    const settings = messageSettings(configuration, defaultMaxBytes(address));
    const isPacket = isPacketAddress(address);
    super({
      events,
      open: (onTooLate) => openOutlet(configuration, context.clock, onTooLate),
      messagesOf: (slice) =>
        writeSlice(slice, settings).map(({ bytes, cutBytes }) => {
          if (cutBytes > 0) events.cut({ cutBytes });
          return [isPacket ? bytes : frameMessage(bytes, framing)];
        }),
    });
  }
}
