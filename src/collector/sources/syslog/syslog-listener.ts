import type { Clock } from '../../../runtime/clock.ts';
import type { SyslogEvents } from './events.ts';
import type { ListenerActivity } from './listener-activity.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import type { PackedChannel } from './packed-channel.ts';
import type { RecordChannel } from './record-channel.ts';
import type { ResendWindow } from './resend-window.ts';

/** An open or opening listener of any transport. */
export interface SyslogListener {
  /** Rejects when listening is not possible now; may be called again. Resolves with the address. */
  open(): Promise<string>;
  /** For the status. Absent: the senders are not known. */
  activity?(): ListenerActivity;
  /** Accepts no more messages, answers the received ones, and closes. Safe to call twice and before `open`. */
  close(deadline: AbortSignal): Promise<void>;
}

export interface SyslogListenerOptions {
  readonly configuration: ListenerConfiguration;
  readonly channel: RecordChannel;
  /** RELP: recognizes messages that are sent again. */
  readonly resends?: ResendWindow | undefined;
  /** Present if the listener packs records: each connection has a channel of its own. */
  readonly packed?: PackedChannel | undefined;
  readonly events: SyslogEvents;
  /** The name of the listener. */
  readonly listener: string;
  readonly clock: Clock;
  /** The socket that systemd has opened, for an address that names one. */
  readonly fd?: number | undefined;
  /** Arguments of Node.js for a thread. */
  readonly threadArguments?: readonly string[];
}
