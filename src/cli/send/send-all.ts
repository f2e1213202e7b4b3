import { NO_STRUCTURED_DATA } from '../../protocols/syslog/syslog-message.ts';
import { writeMessage, writeRaw } from '../../protocols/syslog/write-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Sender } from './open-sender.ts';

/** Sends all texts; ends at the first failure. `onProgress` is called after each group of messages. */
export async function sendAll(
  groups: AsyncIterable<readonly Buffer[]>,
  { sender, fields, clock, onProgress }: SendAllOptions,
  signal: AbortSignal,
): Promise<SendTotals> {
  const totals = { accepted: 0, rejected: 0, unanswered: 0, truncated: 0, bytes: 0 };
  let rejection: string | undefined;
  for await (const texts of groups) {
    const messages = texts.map((text) => {
      totals.bytes += text.length;
      const { bytes, cutBytes } = written(text, { sender, fields, clock });
      if (cutBytes > 0) totals.truncated++;
      return bytes;
    });
    const sent = await sender.send(messages, signal);
    totals.accepted += sent.accepted;
    totals.rejected += sent.rejected;
    totals.unanswered += messages.length - sent.accepted - sent.rejected;
    rejection ??= sent.rejected > 0 ? sent.reason : undefined;
    onProgress(totals);
    if (sent.isFailed) return { ...totals, ...(sent.reason !== undefined && { failure: sent.reason }) };
  }
  const failure = await sender.finish(signal);
  return {
    ...totals,
    ...(failure !== undefined && { failure }),
    ...(rejection !== undefined && { rejection }),
  };
}

export interface SendAllOptions {
  readonly sender: Sender;
  readonly fields: { readonly processId: string; readonly messageId: string };
  readonly clock: Clock;
  readonly onProgress: (totals: SendTotals) => void;
}

export interface SendTotals {
  /** RELP: answered with 200. Otherwise: accepted by the operating system. */
  readonly accepted: number;
  readonly rejected: number;
  /** Sent, or not sent any more because of a failure before them in their group. */
  readonly unanswered: number;
  readonly truncated: number;
  /** Bytes of the texts. */
  readonly bytes: number;
  /** The reason why the sending ended early. */
  readonly failure?: string;
  /** The reason of the first rejection. */
  readonly rejection?: string;
}

function written(text: Buffer, { sender, fields, clock }: Omit<SendAllOptions, 'onProgress'>) {
  const { settings } = sender;
  if (settings.format === 'raw') return writeRaw(text, settings.maxBytes);
  const { facility, severity, host, app } = settings;
  const message = {
    facility,
    severity,
    timeUnixNano: clock.nowUnixNano(),
    host,
    app,
    ...fields,
    structuredData: NO_STRUCTURED_DATA,
    fields: {},
    text: text.toString(),
  };
  return writeMessage(message, settings);
}
