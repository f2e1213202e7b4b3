import { aggregatorVariables } from '../aggregator/config.ts';
import { collectorVariables } from '../collector/config.ts';
import { sharedShape } from '../emitters/configuration.ts';
import type { EmitterType } from '../emitters/emitter.ts';
import { emitterTypes } from '../emitters/registry.ts';
import { FILE_SUFFIX, hasFileForm, type Variable } from '../runtime/configuration/configuration.ts';
import { type SchemaOption, schemaOptions } from '../runtime/configuration/schema-options.ts';
import { NEEDLESS_VARIABLES, standaloneVariables } from './standalone/standalone-variables.ts';

/** The text of docs/configuration.md, from the tables that the commands read. */
export function configurationPage(): string {
  const emitterVariables = new Set(emitterTypes.map(({ variable }) => variable));
  const aggregator = Object.values(aggregatorVariables()).filter(({ name }) => !emitterVariables.has(name));
  const collector = Object.values(collectorVariables());
  return [
    INTRODUCTION,
    `## Aggregator\n\n${variableTable(aggregator)}`,
    ...aggregator.flatMap(valueSection),
    EMITTERS_INTRODUCTION,
    optionTable(schemaOptions(sharedShape('the type'))),
    ...emitterTypes.map(emitterSection),
    `## Collector\n\n${variableTable(collector)}`,
    ...collector.flatMap(valueSection),
    standaloneSection(),
  ].join('\n\n');
}

const INTRODUCTION =
  `<!-- Written by docs/generate-configuration.mjs from the tables in src/. Do not edit. -->

# Configuration

Collector and aggregator are configured by environment variables. Each variable is also a flag of its command, and the flag wins:
\`AGGREGATOR_MAX_BATCH_SIZE=500\` and \`mega-collector aggregator --max-batch-size 500\` have the same effect.

- **Check first.** \`mega-collector aggregator --check\` (and \`collector --check\`) reads the whole configuration, starts nothing, and prints every
  value with its origin. It exits with 0, or with 78 and a list of all problems. \`--json\` prints JSON.
- **Secrets and PEM from files.** A variable marked *or file* has a second form that ends in \`_FILE\` (\`--tls-key-file\`) and
  names a file with the value. Set only one of the two forms. Secrets are never printed. Certificates
  are reread when their files change and on SIGHUP, so that they can be renewed without a restart.
- **PEM text** may contain real line ends, or the two characters \`\\n\` instead.
- **Durations** have the format of Go's \`time.ParseDuration\`: \`300ms\`, \`15s\`, \`1h30m\`, \`1.5h\`. There is no unit for days.
- **Unknown variables** that begin with \`AGGREGATOR_\` or \`COLLECTOR_\` have no effect and are logged as a warning with
  the nearest known name. Variables that Kubernetes adds for a service (\`AGGREGATOR_PORT\`, \`AGGREGATOR_SERVICE_HOST\`, ...) are ignored.
`.trimEnd();

const EMITTERS_INTRODUCTION = `## Emitters

Without a configured emitter, the aggregator keeps records in the embedded store, \`duckdb\` ([store.md](store.md)). Every configured emitter receives all records and has its own
position in the queue. The value of a variable is one JSON object, or a list of objects for several emitters of the type. Each of these variables can
also be read from a file (\`_FILE\`). Every object may have these keys:`;

const STANDALONE = `## Standalone

\`mega-collector standalone\` runs a collector and an aggregator in one process, connected by a Unix socket in the aggregator's state directory. It reads
the variables of both. Each half keeps its state below \`mega-collector/standalone/\` and has its own HTTP address. The emitter depends on the configuration:

| configured | emitter |
|--|--|
| an emitter | that one |
| \`SERVE_DB_DIR\`, optionally \`LOGPLEX_URL\` | \`logplex\`, with one destination for each PostgreSQL server in the serve database |
| \`LOGPLEX_URL\` alone, with user and password | \`logplex\`, with this destination for all records |
| neither | \`text\` and \`duckdb\`: records are printed, and kept in the embedded store |

With \`--once\` it exits after all existing data is delivered, or with an error after \`COLLECTOR_AGGREGATOR_TIMEOUT\` without progress (the time that a batch waits for records and retries is added).`;

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
    `These variables have no effect in \`standalone\`: ${NEEDLESS_VARIABLES.map(code).join(', ')}.`,
    'A flag that both halves have begins with the name of its half. Some defaults differ:',
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

function emitterSection({ type, variable, description, example, guarantee, shape }: EmitterType): string {
  const options = schemaOptions(shape);
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

function valueSection({ name, format, keys }: Variable): readonly string[] {
  if (keys === undefined) return [];
  return [`### The value of ${code(name)}`, `A ${format}:`, optionTable(keys)];
}

function optionTable(options: readonly SchemaOption[]): string {
  const rows = options.map(({ key, format, isRequired, default: standard, description }) => {
    const shown = standard === undefined ? '' : code(standard);
    return `| ${code(key)} | ${cell(format)} | ${isRequired ? 'required' : shown} | ${cell(description)} |`;
  });
  return ['| key | format | default | meaning |', '|--|--|--|--|', ...rows].join('\n');
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
