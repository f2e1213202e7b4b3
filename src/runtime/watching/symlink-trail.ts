import { lstat, readlink } from 'node:fs/promises';
import { dirname, join, parse, resolve, sep } from 'node:path';

/** As many symbolic links as Linux follows in one path. */
const MAX_LINKS = 40;

/**
 * The places at which a change can give `path` another content: each symbolic link on the way to the file, and the
 * file itself. No returned path has a symbolic link in its directory.
 *
 * Kubernetes replaces mounted secrets by such a link: `tls.crt -> ..data/tls.crt`, `..data -> ..2026_11_28`. A new
 * secret is a new directory, and a rename of `..data`. The directory of `tls.crt` itself does not change.
 */
export async function symlinkTrail(path: string): Promise<readonly string[]> {
  const trail: string[] = [];
  let { root: reached } = parse(resolve(path));
  let rest = namesIn(resolve(path));
  while (rest.length > 0) {
    const [name = '', ...others] = rest;
    const here = join(reached, name);
    const kind = await kindOf(here);
    if (kind !== 'other' || others.length === 0) trail.push(here);
    if (kind === 'missing' || trail.length > MAX_LINKS) break;
    if (kind === 'link') {
      const target = resolve(dirname(here), await readlink(here));
      reached = parse(target).root;
      rest = [...namesIn(target), ...others];
    } else {
      reached = here;
      rest = others;
    }
  }
  return trail;
}

function namesIn(path: string): string[] {
  return path.slice(parse(path).root.length).split(sep).filter(Boolean);
}

async function kindOf(path: string): Promise<'link' | 'other' | 'missing'> {
  try {
    return (await lstat(path)).isSymbolicLink() ? 'link' : 'other';
  } catch {
    return 'missing';
  }
}
