import { aggregatorVariables } from '../aggregator/config.ts';
import { COLLECTOR_VARIABLES } from '../collector/variables.ts';
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
    `## Collector\n\n${variableTable(Object.values(COLLECTOR_VARIABLES))}`,
    TAIL_CONFIGURATION.trimEnd(),
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

const TAIL_CONFIGURATION = `### What \`COLLECTOR_TAIL_CONFIGURATION\` says

A JSON list. Each object is a group of files that are read alike:

| key | format | default | meaning |
|--|--|--|--|
| \`paths\` | list of globs | required | The files. Compressed ones (\`.gz\`, \`.zst\`, \`.xz\`, \`.bz2\`, \`.zip\`) are left out. |
| \`exclude\` | list of globs | none | Files that are left out as well. A glob without a slash is for the name: \`*.tmp\` in any directory. |
| \`format\` | name of a format | \`plain\` | How the aggregator reads the records when an emitter asks: \`plain\`, \`json\`, \`combined\`, ... |
| \`resource\` | object of texts | none | Added to what every record says of its origin. |
| \`start_at\` | \`beginning\` or \`end\` | \`beginning\` | Where a file begins that was there, and unknown, when the collector started. |
| \`ignore_older\` | duration | none | Files that nobody has written to for longer are not begun. |
| \`multiline\` | \`{"start": regex}\` or \`{"continue": regex}\` | none | How lines are joined: a matching line begins a record, or belongs to the one before. |
`;

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
    ...Object.values(COLLECTOR_VARIABLES),
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
