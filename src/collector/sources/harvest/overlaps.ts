import { sep } from 'node:path';
import type { ConfigurationProblem } from '../../../runtime/configuration/configuration-error.ts';
import { PathPatterns } from '../tail/files/path-patterns.ts';
import type { TailEntry } from '../tail/files/tail-configuration.ts';
import type { HarvestEntry } from './configuration.ts';

/**
 * Each file belongs to one source, and a file that was moved must not be an upload again. Compares paths as they are
 * configured, without I/O.
 */
export function overlapProblems(
  entries: readonly HarvestEntry[],
  followed: readonly TailEntry[],
  workingDirectory: string,
): readonly ConfigurationProblem[] {
  const patterns = new PathPatterns(followed, workingDirectory);
  return entries.flatMap((entry, index) => {
    const place = `COLLECTOR_HARVEST[${index}]`;
    const before = entries.slice(0, index).find((other) => doOverlap(entry, other));
    return [
      ...(before === undefined
        ? []
        : [
            {
              variable: `${place}.path`,
              message: `expected another directory than ${before.path}, which is harvested`,
            },
          ]),
      ...(patterns.mayContain(entry.path)
        ? [
            {
              variable: `${place}.path`,
              message:
                'expected a directory whose files are not followed: COLLECTOR_TAIL matches files in it',
            },
          ]
        : []),
      ...targetsOf(entry).flatMap(({ key, directory }) => {
        const message = targetProblem(directory, entries, patterns);
        return message === undefined ? [] : [{ variable: `${place}.${key}`, message }];
      }),
    ];
  });
}

function targetsOf({ after, errorDirectory }: HarvestEntry) {
  return [
    ...(after.kind === 'move' ? [{ key: 'after', directory: after.directory }] : []),
    ...(errorDirectory === undefined ? [] : [{ key: 'error_directory', directory: errorDirectory }]),
  ];
}

function targetProblem(
  target: string,
  entries: readonly HarvestEntry[],
  patterns: PathPatterns,
): string | undefined {
  const upload = entries.find(({ path }) => isWithin(target, path));
  if (upload !== undefined) return `expected a directory outside of the upload directory ${upload.path}`;
  if (patterns.mayContain(target))
    return 'expected a directory whose files are not followed: COLLECTOR_TAIL matches files in it';
  return undefined;
}

function doOverlap(a: HarvestEntry, b: HarvestEntry): boolean {
  if (a.path === b.path) return true;
  return (a.recursive && isWithin(b.path, a.path)) || (b.recursive && isWithin(a.path, b.path));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
