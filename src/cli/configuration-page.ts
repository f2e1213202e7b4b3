import { aggregatorVariables } from '../aggregator/config.ts';
import { collectorVariables } from '../collector/config.ts';
import { sourceTypes } from '../collector/sources/registry.ts';
import type { DocumentedValue } from '../collector/sources/source-type.ts';
import type { EmitterOption, EmitterType } from '../emitters/emitter.ts';
import { emitterTypes } from '../emitters/registry.ts';
import { FILE_SUFFIX, hasFileForm, type Variable } from '../runtime/configuration/configuration.ts';
import { NEEDLESS_VARIABLES, standaloneVariables } from './standalone/standalone-variables.ts';

/** docs/configuration.md, from the tables that the commands themselves read. */
export function configurationPage(): string {
  const emitterVariables = new Set(emitterTypes.map(({ variable }) => variable));
  const aggregator = Object.values(aggregatorVariables()).filter(({ name }) => !emitterVariables.has(name));
  return [
    INTRODUCTION,
    `## Aggregator\n\n${variableTable(aggregator)}`,
    EMITTERS_INTRODUCTION,
    ...emitterTypes.map(emitterSection),
    `## Collector\n\n${variableTable(Object.values(collectorVariables()))}`,
    ...sourceTypes.flatMap(({ documentedValue }) => documentedValue ?? []).map(valueSection),
    standaloneSection(),
  ].join('\n\n');
}

const INTRODUCTION =
  `<!-- Written by docs/generate-configuration.mjs from the tables in src/. Do not edit. -->

# Configuration

Both halves are configured by environment variables. Each variable is also a flag of its command, and the flag wins:
\`AGGREGATOR_MAX_BATCH_SIZE=500\` and \`mega-collector aggregator --max-batch-size 500\` say the same.

- **Check first.** \`mega-collector aggregator --check\` (and \`collector --check\`) reads everything, starts nothing, prints every
  value with where it comes from, and ends with 0, or with 78 and all problems at once. \`--json\` is for programs.
- **Secrets and PEM from files.** A variable marked *or file* has a second form with \`_FILE\` at its end (\`--tls-key-file\`), which
  names a file that holds the value. Only one of the two forms may be set. Secrets are never printed. Certificates
  are read again when their files change and on SIGHUP, so that they can be renewed without a restart.
- **PEM text** may come with real line ends, or with the two characters \`\\n\` instead of each.
- **Durations** are those of Go's \`time.ParseDuration\`: \`300ms\`, \`15s\`, \`1h30m\`, \`1.5h\`. There are no days.
- **Unknown variables** that begin with \`AGGREGATOR_\` or \`COLLECTOR_\` are warned about, with the nearest name that exists, and have
  no effect. Those that Kubernetes adds for a service (\`AGGREGATOR_PORT\`, \`AGGREGATOR_SERVICE_HOST\`, ...) are left alone.
`.trimEnd();

const EMITTERS_INTRODUCTION = `## Emitters

Without any, the aggregator keeps records in the embedded store, \`duckdb\` ([store.md](store.md)). Every configured emitter gets everything, each with its own place in the queue. A variable
takes one JSON object, or a list of them for several emitters of the type. All of these variables may also come from a file
(\`_FILE\`), and all objects may have:

| key | format | default | meaning |
|--|--|--|--|
| \`name\` | text | the type | Owns the place in the queue and the state. Must differ from the names of all others. |
| \`start\` | \`oldest\` or \`now\` | \`oldest\` | Where a name that is new begins: with the oldest queued record, or with what is accepted from now on. |`;

const STANDALONE = `## Standalone

\`mega-collector standalone\` is both halves in one process, which meet at a Unix socket in the aggregator's state directory. It takes
the variables of both. Each half has its state below \`mega-collector/standalone/\` and an HTTP address of its own. Where records go:

| configured | emitter |
|--|--|
| an emitter | that one |
| \`SERVE_DB_DIR\`, perhaps \`LOGPLEX_URL\` | \`logplex\`, one destination per PostgreSQL server, as the serve database says |
| \`LOGPLEX_URL\` alone, with user and password | \`logplex\`, that destination for everything |
| neither | \`text\` and \`duckdb\`: records are printed, and kept in the embedded store |

With \`--once\` it ends when everything that was there is delivered.`;

function standaloneSection(): string {
  const variables: Variable[] = [
    ...Object.values(aggregatorVariables()),
    ...Object.values(collectorVariables()),
  ];
  const halves = new Map(variables.map((each) => [each.name, each]));
  const others = Object.values(standaloneVariables()).flatMap((variable) => {
    const { name, flag, default: standard } = variable;
    if (flag === halves.get(name)?.flag && standard === halves.get(name)?.default) return [];
    return [`| ${code(name)} | ${code(flag)} | ${standard ? code(standard) : ''} |`];
  });
  return [
    STANDALONE,
    `These have no effect there: ${NEEDLESS_VARIABLES.map(code).join(', ')}.`,
    'A flag that both halves have begins with the name of its half, and some defaults are others:',
    ['| variable | flag | default |', '|--|--|--|', ...others].join('\n'),
    '',
  ].join('\n\n');
}

function variableTable(variables: readonly Variable[]): string {
  const rows = variables.map((variable) => {
    const { name, flag, alias, description, format, default: standard, example } = variable;
    const names = alias === undefined ? [name, flag] : [name, flag, alias.name, alias.flag];
    const file = hasFileForm(variable) ? ' *or file*' : '';
    const shown = standard === undefined || standard === '' ? '' : code(standard);
    return `| ${names.map(code).join(' ')}${file} | ${shown} | ${cell(format)} | ${cell(description)} Example: ${code(example)} |`;
  });
  return ['| variable, flag | default | format | meaning |', '|--|--|--|--|', ...rows].join('\n');
}

function emitterSection({
  type,
  variable,
  description,
  example,
  guarantee,
  options = [],
}: EmitterType): string {
  const flag = `--${variable
    .replace(/^AGGREGATOR_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`;
  return [
    `### ${type}`,
    `${description} Guarantee: ${guarantee} (see [guarantees.md](guarantees.md)).`,
    `${code(variable)}, ${code(`${variable}${FILE_SUFFIX}`)}, ${code(flag)}. For example:`,
    `\`\`\`sh\n${variable}='${example}'\n\`\`\``,
    ...(options.length > 0 ? [optionTable(options)] : []),
  ].join('\n\n');
}

function valueSection({ variable, introduction, options }: DocumentedValue): string {
  const rows = options.map(
    ({ key, format, default: standard, description }) =>
      `| ${code(key)} | ${cell(format)} | ${standard} | ${cell(description)} |`,
  );
  return [
    `### The value of ${code(variable)}`,
    introduction,
    ['| key | format | default | meaning |', '|--|--|--|--|', ...rows].join('\n'),
  ].join('\n\n');
}

function optionTable(options: readonly EmitterOption[]): string {
  const rows = options.map(({ key, format, default: standard, description }) => {
    const shown = standard === undefined ? '' : code(standard);
    return `| ${code(key)} | ${cell(format)} | ${shown} | ${cell(description)} |`;
  });
  return ['| key | format | default | meaning |', '|--|--|--|--|', ...rows].join('\n');
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
