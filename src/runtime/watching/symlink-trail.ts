import { readlink } from 'node:fs/promises';
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
    const found = await linkAt(here);
    if (found.kind !== 'other' || others.length === 0) trail.push(here);
    if (found.kind === 'missing' || trail.length > MAX_LINKS) break;
    if (found.kind === 'link') {
      const target = resolve(dirname(here), found.target);
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

type Found = { readonly kind: 'link'; readonly target: string } | { readonly kind: 'other' | 'missing' };

/** In one call: a link may be replaced at any moment. */
async function linkAt(path: string): Promise<Found> {
  try {
    return { kind: 'link', target: await readlink(path) };
  } catch (error) {
    return { kind: (error as NodeJS.ErrnoException).code === 'EINVAL' ? 'other' : 'missing' };
  }
}
