import { basename, dirname } from 'node:path';
import { groupBy } from '../../runtime/group-by.ts';
import { escapeControls } from '../../runtime/logging/escape-controls.ts';
import type { Findings, FoundFile, LeftOut } from './findings.ts';

interface TailGroup {
  readonly paths: readonly string[];
  readonly format: string;
}

const MAX_COMMENTED = 50;

/** A configuration file for what was found, in YAML with comments. undefined: nothing was found to read. */
export function firstConfiguration(findings: Findings, file: string): string | undefined {
  const groups = tailGroups(findings);
  if (groups.length === 0 && findings.journal === undefined) return undefined;
  const blocks = [
    head(file),
    STORE,
    ...(groups.length === 0 ? [] : [tailBlock(groups)]),
    ...(findings.journal === undefined ? [] : [JOURNAL]),
    ...commentBlock('Notes', findings.notes),
    ...commentBlock('Left out', findings.leftOut.map(leftOutText)),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function head(file: string): string {
  return `# The first configuration of mega-collector, after a look at this machine. Check it, and start:
#   mega-collector config check standalone --config ${safe(file)}
#   mega-collector standalone --config ${safe(file)}
#   mega-collector monitor logs --follow
# Every variable: docs/configuration.md. To send to an aggregator on another machine, use the command collector and
# COLLECTOR_AGGREGATOR_ADDRESS.`;
}

const STORE = `# The store of the aggregator, in its state directory. monitor and the web page read it.
AGGREGATOR_DUCKDB_CONFIGURATION:
  retention_age: 720h
  retention_size: 10GiB`;

const JOURNAL = `# The journal of systemd, from its oldest entry on.
COLLECTOR_JOURNALD_CONFIGURATION:
  - {}`;

function tailBlock(groups: readonly TailGroup[]): string {
  const entries = groups.flatMap(({ paths, format }) => [
    '  - paths:',
    ...paths.map((path) => `      - ${JSON.stringify(path)}`),
    `    format: ${JSON.stringify(format)}`,
  ]);
  return ['# Files, read from their beginning.', 'COLLECTOR_TAIL_CONFIGURATION:', ...entries].join('\n');
}

/** One group for each format. */
function tailGroups({ files, leftOut, containers }: Findings): readonly TailGroup[] {
  const byFormat = groupBy(files, ({ format }) => format);
  const groups = [...byFormat].map(([format, found]) => ({
    format,
    paths: pathsOf(found, { files, leftOut }),
  }));
  return [...groups, ...containers.map(({ paths, format }) => ({ paths: [paths], format }))];
}

/** `DIRECTORY/*.log` if all logs of the directory belong to the group: new files are read, too. */
function pathsOf(
  found: readonly FoundFile[],
  { files, leftOut }: Pick<Findings, 'files' | 'leftOut'>,
): readonly string[] {
  const format = found[0]?.format;
  const isOfOther = (directory: string) =>
    files.some((each) => isLogIn(each.path, directory) && each.format !== format) ||
    leftOut.some(({ path }) => isLogIn(path, directory));
  const paths = found.map(({ path }) => {
    const directory = dirname(path);
    return isLogIn(path, directory) && !isOfOther(directory) ? `${directory}/*.log` : path;
  });
  return [...new Set(paths)];
}

function isLogIn(path: string, directory: string): boolean {
  return dirname(path) === directory && basename(path).endsWith('.log');
}

function leftOutText({ path, reason }: LeftOut): string {
  return `${path}: ${reason}`;
}

function commentBlock(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, MAX_COMMENTED);
  const rest = lines.length - shown.length;
  const all = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])];
  return [[`# ${title}:`, ...all.map((line) => `#   ${safe(line)}`)].join('\n')];
}

/** A name of a file must not end its comment. */
function safe(text: string): string {
  return escapeControls(text).replaceAll(/[\t\n\r]/g, ' ');
}
