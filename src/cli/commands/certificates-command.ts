import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { CertificateAuthority, CertificatePair } from '../certificates/certificate-authority.ts';
import { type CertificateDescription, describeCertificates } from '../certificates/describe-certificate.ts';
import { type NewFile, writeNewFiles } from '../certificates/write-new-files.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { jsonText } from '../output/json-text.ts';
import { printable } from '../output/text-table.ts';

const EXAMPLES = `
Collectors and aggregators authenticate each other with certificates of one authority. \`create\` makes an
authority, a certificate for aggregators and one for collectors. \`issue\` makes another certificate of an
authority that \`create\` has made, also to renew one. Keys have mode 0600; no file is ever replaced. Keep ca.key
in a safe place: its owner can issue certificates that all machines trust.

Examples:
  mega-collector certificates create --directory tls --host logs.example --host 192.0.2.7
  mega-collector certificates issue --directory tls --client web-1
  mega-collector certificates issue --directory tls --host logs-2.example
  mega-collector certificates show tls/aggregator.pem`;

const AUTHORITY_DAYS = 3650;
const DEFAULT_DAYS = '730';
const HOST_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?$/i;
const CLIENT_NAME = /^[a-z0-9_][a-z0-9_.-]{0,62}$/i;

export function certificatesCommand(context: Context): Command {
  return new Command('certificates')
    .addHelpText('after', EXAMPLES)
    .addCommand(createCommand(context))
    .addCommand(issueCommand(context))
    .addCommand(showCommand(context));
}

const list = (value: string, values: readonly string[] = []) => [...values, value];

function createCommand({ io }: Context): Command {
  return new Command('create')
    .description('Create an authority, a certificate for aggregators and one for collectors.')
    .requiredOption('-d, --directory <path>', 'Directory of the files. Created if it does not exist.')
    .requiredOption('--host <name>', 'Host name or IP address of the aggregator. May be repeated.', list)
    .option('--days <n>', 'Days that the two certificates are valid. [default: 730]', DEFAULT_DAYS)
    .action(async ({ directory, host, days }: CreateFlags) => {
      const requests = [serverOf(host, days), clientOf('collector', days)];
      const createdMs = nowMs();
      const { CertificateAuthority } = await import('../certificates/certificate-authority.ts');
      const authority = await CertificateAuthority.create('mega-collector CA', AUTHORITY_DAYS, createdMs);
      const files = filesOf(directory, 'ca', authority.pair);
      for (const [name, request] of requests) {
        files.push(...filesOf(directory, name, await authority.issue(request, createdMs)));
      }
      await writeNewFiles(files);
      io.stdout.write(files.map(({ path }) => `Wrote ${printable(path)}\n`).join(''));
    });
}

function issueCommand({ io }: Context): Command {
  return new Command('issue')
    .description('Create another certificate of an authority, for an aggregator or a collector.')
    .requiredOption(
      '-d, --directory <path>',
      'Directory with ca.pem and ca.key. The files are written there.',
    )
    .option('--host <name>', 'Host name or IP address of an aggregator. May be repeated.', list)
    .option('--client <name>', 'Name of a collector.')
    .option('--days <n>', 'Days that the certificate is valid. [default: 730]', DEFAULT_DAYS)
    .action(async ({ directory, host, client, days }: IssueFlags) => {
      const [name, request] = requestOf(host, client, days);
      const authority = await loadAuthority(directory);
      const files = filesOf(directory, name, await authority.issue(request, nowMs()));
      await writeNewFiles(files);
      io.stdout.write(files.map(({ path }) => `Wrote ${printable(path)}\n`).join(''));
    });
}

interface CreateFlags {
  readonly directory: string;
  readonly host: readonly string[];
  readonly days: string;
}

interface IssueFlags extends Omit<CreateFlags, 'host'> {
  readonly host?: readonly string[];
  readonly client?: string;
}

function requestOf(host: readonly string[] | undefined, client: string | undefined, days: string) {
  if ((host === undefined) === (client === undefined))
    throw new CommandError('Name either a --host or a --client.', EXIT.usage);
  if (client !== undefined) return clientOf(client, days);
  const [, request] = serverOf(host ?? [], days);
  return [request.name.replaceAll(/[*:]/g, '_'), request] as const;
}

function serverOf(hosts: readonly string[], days: string) {
  for (const host of hosts) {
    if (isIP(host) === 0 && !HOST_NAME.test(host))
      throw new CommandError(
        `--host must be a host name or an IP address without a port, got ${printable(host)}.`,
        EXIT.usage,
      );
  }
  const [name = 'aggregator'] = hosts;
  return ['aggregator', { name, hosts, use: 'server', days: daysOf(days) }] as const;
}

function clientOf(name: string, days: string) {
  if (!CLIENT_NAME.test(name) || name === 'ca')
    throw new CommandError(
      `--client must have 1 to 63 letters, digits, "-", "_" or ".", and not be ca; got ${printable(name)}.`,
      EXIT.usage,
    );
  return [name, { name, hosts: [], use: 'client', days: daysOf(days) }] as const;
}

function daysOf(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > AUTHORITY_DAYS)
    throw new CommandError(`--days must be 1 to ${AUTHORITY_DAYS}, got ${printable(text)}.`, EXIT.usage);
  return days;
}

function filesOf(directory: string, name: string, { certificate, key }: CertificatePair): NewFile[] {
  return [
    { path: join(directory, `${name}.pem`), text: certificate, mode: 0o644 },
    { path: join(directory, `${name}.key`), text: key, mode: 0o600 },
  ];
}

async function loadAuthority(directory: string): Promise<CertificateAuthority> {
  const certificate = await read(join(directory, 'ca.pem'));
  const key = await read(join(directory, 'ca.key'));
  const { CertificateAuthority } = await import('../certificates/certificate-authority.ts');
  try {
    return await CertificateAuthority.load({ certificate, key });
  } catch (error) {
    throw new CommandError(
      `Cannot use the authority in ${printable(directory)}: ${errorMessage(error)}. Its key must be an ECDSA P-256 key.`,
    );
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandError(`Cannot read ${printable(path)}: ${fileErrorText(error)}`);
  }
}

function showCommand({ io }: Context): Command {
  return new Command('show')
    .description('Show the certificates of a PEM file: names, use, validity and fingerprint.')
    .argument('<file>', 'Path of the file.')
    .option('--json', 'Print the result as JSON.')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const found = certificatesOf(path, await read(path));
      const text = json === true ? `${jsonText(found)}\n` : found.map(textOf).join('\n');
      io.stdout.write(text);
    });
}

function certificatesOf(path: string, pem: string): readonly CertificateDescription[] {
  try {
    const found = describeCertificates(pem);
    if (found.length > 0) return found;
  } catch (error) {
    throw new CommandError(
      `Cannot read ${printable(path)}: a certificate is damaged (${errorMessage(error)}).`,
    );
  }
  throw new CommandError(`Cannot show ${printable(path)}: it has no certificate in PEM.`);
}

function textOf(each: CertificateDescription): string {
  const use = each.isAuthority ? 'authority' : each.uses.join(', ') || 'any';
  const lines = [
    ['subject', each.subject],
    ['issuer', each.issuer],
    ['use', use],
    ...(each.hosts.length > 0 ? [['hosts', each.hosts.join(', ')]] : []),
    ['valid', `${each.validFrom} to ${each.validTo} (${remaining(each)})`],
    ['sha256', each.fingerprint256],
  ];
  return lines.map(([label = '', value = '']) => `${label.padEnd(8)} ${printable(value)}\n`).join('');
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Wall clock. */
const nowMs = () => Number(systemClock.nowUnixNano() / 1_000_000n);

function remaining({ validFrom, validTo }: CertificateDescription): string {
  const atMs = nowMs();
  if (atMs < Date.parse(validFrom)) return 'not valid yet';
  const days = Math.floor((Date.parse(validTo) - atMs) / DAY_MS);
  return days < 0 ? 'expired' : `${days} days left`;
}
