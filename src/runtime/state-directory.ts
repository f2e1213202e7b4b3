import { dirname, join, resolve } from 'node:path';
import type { Environment } from './configuration.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** Which half of the pair. */
export type Role = 'aggregator' | 'collector';

/**
 * Where a half keeps its state when nobody says: root under /var/lib, others where the XDG base directory specification
 * puts state. undefined for a user without a home.
 */
export function defaultStateDirectory(
  role: Role,
  environment: Environment,
  userId = process.getuid?.(),
): string | undefined {
  if (userId === 0) return join('/var/lib/mega-collector', role);
  const { XDG_STATE_HOME: stateHome, HOME: home } = environment;
  // The specification has relative paths ignored.
  if (stateHome?.startsWith('/')) return join(stateHome, 'mega-collector', role);
  return home ? join(home, '.local/state/mega-collector', role) : undefined;
}

/** The same for the halves of a `standalone`: below a parent of their own, so that they meet no other's state. */
export function standaloneStateDirectory(
  role: Role,
  environment: Environment,
  userId?: number,
): string | undefined {
  const directory = defaultStateDirectory(role, environment, userId);
  return directory && join(dirname(directory), 'standalone', role);
}

/** That of one-shot runs of the collector: apart from the state of one that runs on, whose owner holds it. */
export function onceStateDirectory(environment: Environment, userId?: number): string | undefined {
  const directory = defaultStateDirectory('collector', environment, userId);
  return directory && join(dirname(directory), 'once', 'collector');
}

/** The configured directory or the default, absolute; without either there is a problem. */
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
    message: 'expected a path, found nothing, nor XDG_STATE_HOME or HOME to take a default from',
  });
  return '';
}
