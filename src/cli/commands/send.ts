import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import { systemClock } from '../../runtime/clock.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { runUntilInterrupted } from '../monitor/monitor-command.ts';
import { ProgressLine } from '../one-shot/progress-line.ts';
import { EXIT } from '../output/exit-codes.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import type { Io } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable } from '../output/text-table.ts';
import { cutToWidth } from '../output/text-width.ts';
import { messageLines } from '../send/message-lines.ts';
import { openSender, type Sender } from '../send/open-sender.ts';
import { type SendTotals, sendAll } from '../send/send-all.ts';

const EXAMPLES = `
Sends one message, or each line of a file or of the standard input as one message. Addresses:
  udp://host:514  tcp://host:514  tls://host:6514  relp://host:2514  relp+tls://host:2514  unix:/path  unixgram:/path

The exit code is 0 only if every message was accepted. RELP: the receiver has answered each message. Other
addresses: the operating system has accepted them, and the receiver has not closed the connection; syslog
itself has no answers.

Examples:
  mega-collector send relp://loghost.example:2514 --message 'backup finished' --app backup --severity notice
  mega-collector send tls://loghost.example:6514 --ca /etc/ssl/ca.pem --file /var/log/app.log --facility local0
  journalctl -o cat -u nginx | mega-collector send relp+tls://loghost.example:2514
  mega-collector send unixgram:/dev/log --message hello --format rfc3164
  mega-collector send udp://127.0.0.1:514 --message '<34>a raw message' --format raw`;

interface Flags {
  readonly message?: string;
  readonly file?: string;
  readonly format?: string;
  readonly severity: string;
  readonly facility: string;
  readonly app: string;
  readonly host?: string;
  readonly processId?: string;
  readonly messageId?: string;
  readonly framing?: string;
  readonly window?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly timeout?: string;
  readonly json?: boolean;
}

export function sendCommand(context: Context): Command {
  return new Command('send')
    .argument('<address>', 'Address of the receiver, such as relp://loghost.example:2514.')
    .option('-m, --message <text>', 'Send this message.')
    .option('-f, --file <path>', 'Send each line of this file. [default: of the standard input]')
    .option('-s, --severity <name>', 'Severity: emerg to debug, or 0 to 7. [default: notice]', 'notice')
    .option('--facility <name>', 'Facility: kern, user, local0, ..., or 0 to 23. [default: user]', 'user')
    .option('-a, --app <name>', 'Application name. [default: mega-collector]', 'mega-collector')
    .option('--host <name>', 'Host name. [default: the name of this host]')
    .option('--process-id <id>', 'Process id. [default: none]')
    .option('--message-id <id>', 'Message id. [default: none]')
    .addOption(
      new Option(
        '--format <name>',
        'Message format: rfc5424, rfc3164, json or raw. [default: rfc5424]',
      ).choices(['rfc5424', 'rfc3164', 'json', 'raw']),
    )
    .addOption(
      new Option('--framing <name>', 'Framing of streams: octet (a length) or lf. [default: octet]').choices([
        'octet',
        'lf',
      ]),
    )
    .option('--window <n>', 'RELP: messages sent before their answers. [default: 128]')
    .option('--ca <path>', 'TLS: file with the trusted certificate authorities. [default: those of Node]')
    .option('--certificate <path>', 'TLS: file with the client certificate.')
    .option('--key <path>', 'TLS: file with the key of the client certificate.')
    .option('--server-name <name>', "TLS: expected name in the receiver's certificate. [default: the host]")
    .option('--timeout <duration>', 'Timeout of connecting and of each write. [default: 10s]')
    .option('--json', 'Print the result as JSON.')
    .addHelpText('after', EXAMPLES)
    .action((address: string, flags: Flags) => send(context, address, flags));
}

async function send(context: Context, address: string, flags: Flags): Promise<void> {
  const { io } = context;
  const input = await openInput(flags, io);
  const sender = await openSender(address, settingsOf(flags));
  let totals: SendTotals = { ...NOTHING_SENT, failure: 'interrupted' };
  await runUntilInterrupted({ io }, async (signal) => {
    const progress = progressOf(io, input.bytes);
    const fields = { processId: flags.processId ?? '', messageId: flags.messageId ?? '' };
    const onProgress = (sent: SendTotals) => {
      totals = { ...sent, failure: 'interrupted' };
      progress.show(sent);
    };
    const options = { sender, fields, clock: systemClock, onProgress };
    try {
      // The standard input may be silent without limit.
      const all = await untilAborted(sendAll(input.groups, options, signal), signal);
      if (all !== 'aborted') totals = all;
    } finally {
      progress.end();
      await sender.close();
    }
  });
  report(context, { sender, totals, json: flags.json ?? false });
}

const NOTHING_SENT = { accepted: 0, rejected: 0, unanswered: 0, truncated: 0, bytes: 0 };

/** The keys of the emitters. */
function settingsOf(flags: Flags): Record<string, unknown> {
  const { format, severity, facility, app, host, framing, window, timeout } = flags;
  return {
    message: format,
    severity,
    facility,
    app,
    host,
    framing,
    window: window === undefined ? undefined : Number(window),
    ca_file: flags.ca,
    certificate_file: flags.certificate,
    key_file: flags.key,
    server_name: flags.serverName,
    timeout,
  };
}

interface MessageInput {
  readonly groups: AsyncIterable<readonly Buffer[]>;
  /** The size of a file. */
  readonly bytes?: number;
}

async function openInput({ message, file }: Flags, io: Io): Promise<MessageInput> {
  if (message !== undefined && file !== undefined)
    throw new CommandError('Use either --message or --file.', EXIT.usage);
  if (message !== undefined) return { groups: single(Buffer.from(message)) };
  if (file !== undefined && file !== '-') {
    const found = await stat(file).catch((error: unknown) => {
      throw new CommandError(`Cannot read ${file}: ${fileErrorText(error)}`);
    });
    if (found.isDirectory()) throw new CommandError(`Cannot read ${file}: it is a directory.`);
    return { groups: messageLines(createReadStream(file)), bytes: found.size };
  }
  if (file === undefined && io.stdin.isTTY === true)
    throw new CommandError(
      'Name a --message or a --file, or pipe messages to the standard input.',
      EXIT.usage,
    );
  return { groups: messageLines(io.stdin) };
}

async function* single(message: Buffer): AsyncGenerator<readonly Buffer[]> {
  yield [message];
}

/** A line on a terminal, at most a few times a second. */
function progressOf(io: Io, allBytes: number | undefined) {
  if (io.stderr.isTTY !== true) return { show: () => {}, end: () => {} };
  const line = new ProgressLine(io.logOutput());
  let shownMs = systemClock.monotonicMs();
  return {
    show: ({ accepted, bytes }: SendTotals) => {
      if (systemClock.monotonicMs() - shownMs < PROGRESS_MS) return;
      shownMs = systemClock.monotonicMs();
      const of = allBytes === undefined ? '' : ` of ${formatByteSize(allBytes)}`;
      const text = `Sent ${count(accepted)} messages, ${formatByteSize(bytes)}${of}`;
      line.show(cutToWidth(text, (io.stderr.columns ?? 80) - 1));
    },
    end: () => line.erase(),
  };
}

const PROGRESS_MS = 500;

function report(
  context: Context,
  { sender, totals, json }: { readonly sender: Sender; readonly totals: SendTotals; readonly json: boolean },
): void {
  const { failure, rejection, ...amounts } = totals;
  const { address, isAcknowledged } = sender;
  const reason = failure ?? rejection;
  const isComplete = reason === undefined && totals.unanswered === 0;
  context.exitCode = isComplete ? EXIT.ok : EXIT.failure;
  if (json) {
    const result = { address, acknowledged: isAcknowledged, complete: isComplete, ...amounts };
    context.io.stdout.write(`${jsonText({ ...result, ...(reason !== undefined && { reason }) })}\n`);
    return;
  }
  const truncated = totals.truncated > 0 ? `; ${count(totals.truncated)} were truncated` : '';
  if (isComplete) {
    const how = isAcknowledged ? 'the receiver has answered each one' : 'accepted by the operating system';
    const what = `${messages(totals.accepted)} (${formatByteSize(totals.bytes)})`;
    context.io.stdout.write(`Sent ${what} to ${printable(address)}: ${how}${truncated}.\n`);
    return;
  }
  throw new CommandError(failureText(sender, totals));
}

function failureText({ address, isAcknowledged }: Sender, totals: SendTotals): string {
  const { failure, rejection, accepted, rejected } = totals;
  const taken = isAcknowledged
    ? `${messages(accepted)} answered`
    : `${messages(accepted)} passed to the operating system, some of which may be lost`;
  const refused = rejected > 0 ? `, ${count(rejected)} rejected` : '';
  return failure === undefined
    ? `The receiver ${address} rejected ${messages(rejected)}: ${rejection ?? ''} (${taken}).`
    : `Cannot send to ${address}: ${failure} (${taken}${refused}).`;
}

function messages(amount: number): string {
  return `${count(amount)} message${amount === 1 ? '' : 's'}`;
}
