import module from 'node:module';
import { join } from 'node:path';

/**
 * Keeps the compiled code of the modules for the next start, where Node can do that (22.1 and later). Only in a
 * directory of the user: in a directory for temporary files, another user could provide the code.
 */
export function enableCompileCache({ CACHE_DIRECTORY, XDG_CACHE_HOME, HOME }: CacheEnvironment): void {
  const { enableCompileCache: enable } = module as { enableCompileCache?: (directory: string) => unknown };
  // systemd sets CACHE_DIRECTORY for a unit with CacheDirectory=, possibly with several directories.
  const [own] = CACHE_DIRECTORY?.split(':') ?? [];
  const cache = XDG_CACHE_HOME || (HOME ? join(HOME, '.cache') : undefined);
  const directory = own || (cache && join(cache, 'mega-collector'));
  // A cache that cannot be written is reported in the result, and has no effect.
  if (directory) enable?.(join(directory, 'compiled'));
}

interface CacheEnvironment {
  readonly CACHE_DIRECTORY?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}
