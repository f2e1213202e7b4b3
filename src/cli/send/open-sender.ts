import { openOutlet } from '../../emitters/open-outlet.ts';
import { parseRelpConfiguration } from '../../emitters/relp/configuration.ts';
import { openClient } from '../../emitters/relp/open-client.ts';
import { defaultMaxBytes, parseSyslogConfiguration } from '../../emitters/syslog/configuration.ts';
import { messageSettings } from '../../emitters/syslog-message-options.ts';
import { OK } from '../../protocols/relp/client-session.ts';
import { frameMessage } from '../../protocols/syslog/frame-message.ts';
import type { MessageSettings } from '../../protocols/syslog/write-record.ts';
import { systemClock } from '../../runtime/clock.ts';
import { ConfigurationError } from '../../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { isPacketAddress } from '../../transport/transport-address.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../output/exit-codes.ts';

/** Sends messages to one address. */
export interface Sender {
  readonly address: string;
  /** The receiver answers each message. */
  readonly isAcknowledged: boolean;
  readonly settings: MessageSettings;
  /** Sends some messages and waits for their answers, if there are any. */
  send(messages: readonly Uint8Array[], signal: AbortSignal): Promise<Sent>;
  /** Returns the reason if the receiver may have lost messages. */
  finish(signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface Sent {
  readonly accepted: number;
  readonly rejected: number;
  /** The first rejection, or the failure that ended the sending. */
  readonly reason?: string;
  readonly isFailed: boolean;
}

/** The settings are those of the emitters; undefined ones are absent. */
export async function openSender(address: string, settings: Record<string, unknown>): Promise<Sender> {
  const isRelp = /^relp(?:s|\+tls)?:/.test(address);
  const value = JSON.stringify({ address, ...settings });
  try {
    return await (isRelp ? openRelp(value) : openSyslog(value));
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CommandError(flagProblems(error, address), EXIT.usage);
    throw new CommandError(`Cannot send to ${address}: ${errorMessage(error)}`);
  }
}

async function openRelp(value: string): Promise<Sender> {
  const [{ configuration } = NOTHING] = parseRelpConfiguration(value);
  if (configuration === undefined) throw new Error('no address');
  const client = await openClient(configuration, systemClock);
  return {
    address: client.address,
    isAcknowledged: true,
    settings: messageSettings(configuration),
    send: async (messages, signal) => {
      let accepted = 0;
      const rejections: string[] = [];
      const failure = await client.deliver(
        messages.values(),
        (_, { code, text }) => {
          if (code === OK) accepted++;
          else rejections.push(`${code} ${text}`.trim());
        },
        signal,
      );
      const reason = failure?.reason ?? rejections[0];
      return {
        accepted,
        rejected: rejections.length,
        isFailed: failure !== undefined,
        ...(reason !== undefined && { reason }),
      };
    },
    finish: async () => undefined,
    close: () => client.close(AbortSignal.timeout(CLOSE_TIMEOUT_MS)),
  };
}

async function openSyslog(value: string): Promise<Sender> {
  const [{ configuration } = NOTHING] = parseSyslogConfiguration(value);
  if (configuration === undefined) throw new Error('no address');
  const { address, framing = 'octet' } = configuration;
  const outlet = await openOutlet(configuration, systemClock, () => {});
  const isPacket = isPacketAddress(address);
  return {
    address: outlet.address,
    isAcknowledged: false,
    settings: messageSettings(configuration, defaultMaxBytes(address)),
    send: async (messages, signal) => {
      const packets = isPacket ? messages : messages.map((message) => frameMessage(message, framing));
      const failure = await outlet.write(packets, signal);
      return failure === undefined
        ? { accepted: messages.length, rejected: 0, isFailed: false }
        : { accepted: 0, rejected: 0, isFailed: true, reason: failure.reason };
    },
    finish: async (signal) => (await outlet.check(signal))?.reason,
    close: () => outlet.close(AbortSignal.timeout(CLOSE_TIMEOUT_MS)),
  };
}

const CLOSE_TIMEOUT_MS = 5_000;
const NOTHING = { configuration: undefined };

/** The problems by the names of the flags instead of those of the variable. */
function flagProblems({ problems }: ConfigurationError, address: string): string {
  const lines = problems.map(({ variable, message }) => {
    const key = variable.split('.').at(-1) ?? '';
    return key === 'address'
      ? `Invalid address ${JSON.stringify(address)}: ${EXPECTED}.`
      : `${flagOf(key)}: ${message}`;
  });
  return lines.join('\n');
}

const EXPECTED =
  'expected udp://host:port, tcp://host:port, tls://host:port, relp://host:port, relp+tls://host:port, unix:/path or unixgram:/path';

function flagOf(key: string): string {
  if (key === 'message') return '--format';
  return `--${key.replace(/_file$/, '').replaceAll('_', '-')}`;
}
