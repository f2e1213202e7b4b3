import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { AGGREGATOR_VARIABLES } from '../../../aggregator/variables.ts';
import { type Address, formatAddress } from '../../../runtime/configuration/address.ts';
import { FILE_SUFFIX, parseVariables, throwProblems } from '../../../runtime/configuration/configuration.ts';
import { readFileForms } from '../../../runtime/configuration/read-file-forms.ts';
import { durationMs, positiveDurationMs } from '../../../runtime/configuration/value-parsers.ts';
import { CommandError } from '../../command-error.ts';
import { EXIT } from '../../output/exit-codes.ts';
import type { Io } from '../../output/io.ts';

/** The address and the credentials of the aggregator's HTTP API. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: string | undefined;
  /** For a whole answer; for a stream, until it begins. */
  readonly timeoutMs: number;
  /** Maximum time to wait for an aggregator on this machine that is starting. */
  readonly waitMs: number;
}

export interface ConnectionFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly timeout: string;
  readonly wait: string;
}

/** The aggregator's own variables: on one machine they are set once for both. */
const VARIABLES = {
  address: AGGREGATOR_VARIABLES.httpAddress,
  token: AGGREGATOR_VARIABLES.httpToken,
} as const;
const { address: ADDRESS, token: TOKEN } = VARIABLES;
const TOKEN_FILE = `${TOKEN.name}${FILE_SUFFIX}`;

/** There is no flag for the token itself, because every user of a machine can see command lines. */
export function withConnection(command: Command): Command {
  const options = [
    new Option('--url <url>', `URL of the aggregator. [${ADDRESS.name}, default http://${ADDRESS.default}]`),
    new Option(
      '--token-file <path>',
      `File with the token of the aggregator. [${TOKEN.name}, ${TOKEN_FILE}]`,
    ),
    new Option(
      '--ca <path>',
      'File with the certificates (PEM) of the authorities to trust, for an https URL.',
    ),
    new Option('--timeout <duration>', 'Maximum time for an answer. [default 30s]').default('30s'),
    new Option(
      '--wait <duration>',
      'Maximum time to wait for an aggregator on this machine that is starting. [default 5s]',
    ).default('5s'),
  ];
  for (const option of options) command.addOption(option.helpGroup('Connection to the aggregator:'));
  return command;
}

/** Throws CommandError for flags and ConfigurationError for variables. */
export async function readConnection(
  flags: ConnectionFlags,
  { environment }: Pick<Io, 'environment'>,
): Promise<Connection> {
  // A flag overrides both forms of its variable.
  const given = {
    ...environment,
    ...(flags.url !== undefined && { [ADDRESS.name]: undefined }),
    ...(flags.tokenFile !== undefined && { [TOKEN.name]: undefined, [TOKEN_FILE]: flags.tokenFile }),
  };
  // A variable that is set to an empty value is not set.
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
  const { environment: read, problems: fileProblems } = await readFileForms(VARIABLES, set);
  const { values, problems } = parseVariables(VARIABLES, read);
  const all = [...fileProblems, ...problems];
  const ofFlag = all.find(({ variable }) => flags.tokenFile !== undefined && variable.startsWith(TOKEN.name));
  if (ofFlag !== undefined) throw new CommandError(`--token-file: ${ofFlag.message}.`, EXIT.usage);
  throwProblems(all);
  return {
    url: flags.url === undefined ? urlOf(values.address) : givenUrl(flags.url),
    token: values.token,
    ca: flags.ca === undefined ? undefined : await readCertificates(flags.ca),
    timeoutMs: timeOf('--timeout', flags.timeout, positiveDurationMs),
    waitMs: timeOf('--wait', flags.wait, durationMs),
  };
}

/** An aggregator that listens on all interfaces also listens on loopback. */
function urlOf({ host, port }: Address): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : /^[0:]+$/.test(host) ? '::1' : host;
  return `http://${formatAddress({ host: reachable, port })}`;
}

function givenUrl(text: string): string {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) {
    throw new CommandError('--url: expected a URL such as http://127.0.0.1:8001.', EXIT.usage);
  }
  if (url.username || url.password) {
    throw new CommandError(
      '--url: a URL must not contain a user or password. Use --token-file for a token.',
      EXIT.usage,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

async function readCertificates(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`--ca: cannot read the file (${error.code ?? 'unknown error'}).`, EXIT.usage);
  });
  try {
    void new X509Certificate(text);
    return text;
  } catch {
    throw new CommandError('--ca: the file contains no certificates in PEM format.', EXIT.usage);
  }
}

function timeOf(flag: string, text: string, read: (text: string) => number): number {
  try {
    return Math.min(read(text), LONGEST_TIMEOUT_MS);
  } catch (error) {
    throw new CommandError(`${flag}: ${(error as Error).message}.`, EXIT.usage);
  }
}

/** Node timers accept up to 24 days. */
const LONGEST_TIMEOUT_MS = 20 * 86_400_000;
