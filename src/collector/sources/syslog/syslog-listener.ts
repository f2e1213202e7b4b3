import type { Clock } from '../../../runtime/clock.ts';
import type { SyslogEvents } from './events.ts';
import type { ListenerChannel } from './listener-channel.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import type { PackedChannel } from './packed-channel.ts';
import type { RecordChannel } from './record-channel.ts';

/** An open or opening listener of any transport. */
export interface SyslogListener {
  /** Rejects when listening is not possible now; may be called again. Resolves with the address. */
  open(): Promise<string>;
  /** Accepts no more messages, answers the received ones, and closes. Safe to call twice and before `open`. */
  close(deadline: AbortSignal): Promise<void>;
}

export interface SyslogListenerOptions {
  readonly configuration: ListenerConfiguration;
  readonly channel: RecordChannel;
  /** The records of an earlier run. */
  readonly stored: Pick<ListenerChannel, 'newest'>;
  /** Present if the listener packs records: each connection has a channel of its own. */
  readonly packed?: PackedChannel | undefined;
  readonly events: SyslogEvents;
  /** The name of the listener. */
  readonly listener: string;
  readonly clock: Clock;
  /** Arguments of Node.js for a thread. */
  readonly threadArguments?: readonly string[];
}
