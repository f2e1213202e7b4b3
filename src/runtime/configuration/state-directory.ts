import { dirname, join, resolve } from 'node:path';
import type { Environment } from './configuration.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** The role of a process. */
export type Role = 'aggregator' | 'collector';

/**
 * The default state directory of a role: under /var/lib for root, for other users as in the XDG base
 * directory specification. undefined for a user without a home.
 */
export function defaultStateDirectory(
  role: Role,
  environment: Environment,
  userId = process.getuid?.(),
): string | undefined {
  if (userId === 0) return join('/var/lib/mega-collector', role);
  const { XDG_STATE_HOME: stateHome, HOME: home } = environment;
  // The specification requires that relative paths are ignored.
  if (stateHome?.startsWith('/')) return join(stateHome, 'mega-collector', role);
  return home ? join(home, '.local/state/mega-collector', role) : undefined;
}

/** The same for the roles of a `standalone`: under their own parent, separate from other state. */
export function standaloneStateDirectory(
  role: Role,
  environment: Environment,
  userId?: number,
): string | undefined {
  const directory = defaultStateDirectory(role, environment, userId);
  return directory && join(dirname(directory), 'standalone', role);
}

/** The state directory of one-shot runs of a collector, separate from that of a permanent one, which is locked. */
export function onceStateDirectory(environment: Environment, userId?: number): string | undefined {
  const directory = defaultStateDirectory('collector', environment, userId);
  return directory && join(dirname(directory), 'once', 'collector');
}

/** The same for the roles of a one-shot `standalone`. */
export function onceStandaloneStateDirectory(
  role: Role,
  environment: Environment,
  userId?: number,
): string | undefined {
  const directory = defaultStateDirectory(role, environment, userId);
  return directory && join(dirname(directory), 'once', 'standalone', role);
}

/** The configured directory or the default, absolute; without either it is a problem. */
export function stateDirectoryOf(
  role: Role,
  configured: string | undefined,
  environment: Environment,
  { userId, problems }: { readonly userId: number | undefined; readonly problems: ConfigurationProblem[] },
): string {
  const directory = configured ?? defaultStateDirectory(role, environment, userId);
  if (directory !== undefined) return resolve(directory);
  problems.push({
    variable: `${role.toUpperCase()}_STATE_DIRECTORY`,
    message:
      'expected a path, found nothing; there is no default because neither XDG_STATE_HOME nor HOME is set',
  });
  return '';
}
