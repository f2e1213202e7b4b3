import type { AggregatorEmitter } from '../aggregator/config.ts';
import type { FilterSource } from '../emitters/filtering/filter-source.ts';
import type { Json } from '../records/json.ts';
import { textOf, type VariableTable } from '../runtime/configuration/configuration.ts';
import type { ConnectionTrial } from '../runtime/connection-trial.ts';
import { connectionsText } from './connect/connections-text.ts';
import type { LoadedConfiguration } from './load-configuration.ts';
import { type Io, widthOf } from './output/io.ts';
import { jsonText } from './output/json-text.ts';
import { printable, textTable } from './output/text-table.ts';
import { formatParagraph } from './output/wrap-text.ts';

/** The printed part of a checked configuration: everything, the variables that are set, or whether it is valid. */
export type CheckView = 'all' | 'set' | 'verdict';

/** For --check: prints every variable with its value and its origin. Secrets and PEM text are not shown. */
export function printCheck(
  io: Io,
  table: VariableTable,
  loaded: LoadedConfiguration<unknown>,
  { json, view, stateDirectories, extra, connections }: CheckReportOptions,
): void {
  const all = shownVariables(table, loaded, stateDirectories);
  const variables = view === 'all' ? all : all.filter(({ name }) => loaded.origins.has(name));
  const { warnings } = loaded;
  if (json) {
    const ok = !hasFailed(connections);
    const report = { ok, variables, ...extra, ...connectionsReport(connections), warnings };
    io.stdout.write(`${jsonText(report, 2)}\n`);
    return;
  }
  const rows = variables.map(({ name, value, origin }) => [name, printable(value ?? '-'), origin]);
  const width = widthOf(io.stdout);
  const columns = [{ title: 'variable' }, { title: 'value', wraps: true as const }, { title: 'from' }];
  if (view !== 'verdict') io.stdout.write(textTable(columns, rows, width));
  if (view === 'set') return;
  for (const [title, value] of Object.entries(extra))
    io.stdout.write(`\n${formatParagraph(`${title}: ${jsonText(value)}`, width, 2)}`);
  for (const { variable, message } of warnings)
    io.stderr.write(formatParagraph(printable(`Warning: ${variable} ${message}`), widthOf(io.stderr), 2));
  if (connections !== undefined) io.stdout.write(`\n${connectionsText(connections, width)}`);
  const problems = problemsIn(extra);
  for (const problem of problems)
    io.stderr.write(formatParagraph(printable(`Warning: ${problem}`), widthOf(io.stderr), 2));
  const found =
    problems.length + warnings.length + (connections ?? []).filter(({ failure }) => failure).length;
  const but = found === 0 ? '' : `, with ${found} ${found === 1 ? 'warning' : 'warnings'} (above)`;
  io.stdout.write(`\nThe configuration is valid${but}.\n`);
}

/** The sentences of `problems` in the reports of files. */
function problemsIn(extra: Readonly<Record<string, Json>>): readonly string[] {
  return Object.values(extra).flatMap((report) =>
    (Array.isArray(report) ? report : []).flatMap((each: Json) => {
      const { problems } = each as { readonly problems?: Json };
      return Array.isArray(problems) ? problems.map(String) : [];
    }),
  );
}

/** State directories by variable, after the rules that no default in a table can express. */
export type StateDirectories = Readonly<Record<string, string>>;

interface CheckReportOptions {
  readonly json: boolean;
  readonly view: CheckView;
  readonly stateDirectories: StateDirectories;
  /** More to print, by title. */
  readonly extra: Readonly<Record<string, Json>>;
  /** The results of --connect. */
  readonly connections: readonly ConnectionTrial[] | undefined;
}

export function hasFailed(connections: readonly ConnectionTrial[] = []): boolean {
  return connections.some(({ failure }) => failure !== undefined);
}

function connectionsReport(connections: readonly ConnectionTrial[] | undefined): object {
  if (connections === undefined) return {};
  return {
    connections: connections.map(({ target, failure }) => ({
      target,
      ok: failure === undefined,
      ...failure,
    })),
  };
}

/** The emitters of a configuration. */
export function emittersReport(
  emitters: readonly AggregatorEmitter[],
  filters: ReadonlyMap<string, FilterSource | undefined>,
): Json {
  return emitters.map(({ name, type: { type, guarantee } }) => {
    const filter = filters.get(name);
    return { name, type, guarantee, ...(filter !== undefined && { filter: filter.name }) };
  });
}

interface ShownVariable {
  readonly name: string;
  /** null: the variable is not set. */
  readonly value: string | null;
  readonly origin: string;
}

function shownVariables(
  table: VariableTable,
  { environment, origins }: LoadedConfiguration<unknown>,
  stateDirectories: StateDirectories,
): readonly ShownVariable[] {
  return Object.values(table).map((variable) => {
    const { name } = variable;
    const text = textOf(variable, environment) ?? variable.default;
    const hidden = variable.secret === true || variable.file === true;
    const origin = origins.get(name) ?? 'default';
    const stateDirectory = stateDirectories[name];
    if (stateDirectory !== undefined) return { name, value: stateDirectory, origin };
    if (text === undefined) return { name, value: null, origin: 'not set' };
    return { name, value: hidden ? '(set, not shown)' : text, origin };
  });
}
