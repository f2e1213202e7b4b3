import { StateDirectory } from '../storage/state/state-directory.ts';

/**
 * Whether a one-shot run continues with the state of version 0.1.0, so that it does not read everything
 * again: it does so if it has no own state and no process uses the ordinary directory. Both halves of a
 * standalone are decided together.
 */
export async function continuesOrdinaryState(directories: readonly OnceDirectory[]): Promise<boolean> {
  const own = await usages(directories.map((each) => each.own));
  if (own.some((usage) => usage !== 'absent')) return false;
  const ordinary = await usages(directories.map((each) => each.ordinary));
  return ordinary.includes('free') && !ordinary.includes('unavailable');
}

/** A state directory of a one-shot run. */
export interface OnceDirectory {
  readonly own: string;
  /** The directory of a permanent process. Version 0.1.0 also kept the state of one-shot runs there. */
  readonly ordinary: string;
}

function usages(paths: readonly string[]) {
  return Promise.all(paths.map((path) => StateDirectory.usage(path)));
}
