import { aggregatorVariables } from '../../aggregator/config.ts';
import { collectorVariables } from '../../collector/config.ts';
import {
  type Variable,
  type VariableTable,
  variableNames,
} from '../../runtime/configuration/configuration.ts';
import { tlsVariables } from '../../runtime/configuration/tls-variables.ts';

/** The variables of both halves. A flag that both halves have begins with the half's name: `--collector-log-level`. */
export function standaloneVariables(): VariableTable {
  const halves = [
    { prefix: '--collector-', variables: Object.values(collectorVariables()) },
    { prefix: '--aggregator-', variables: Object.values(aggregatorVariables()) },
  ];
  const flags = halves.flatMap(({ variables }) => variables.map(({ flag }) => flag));
  const isShared = (flag: string) => flags.indexOf(flag) !== flags.lastIndexOf(flag);
  const entries = halves.flatMap(({ prefix, variables }) =>
    variables
      .filter(({ name }) => !NEEDLESS_VARIABLES.includes(name))
      .map((variable) => [variable.name, ofStandalone(variable, isShared(variable.flag) ? prefix : '--')]),
  );
  return Object.fromEntries(entries) as VariableTable;
}

/** Variables by which halves in two processes find and trust each other. One process needs none of them. */
export const NEEDLESS_VARIABLES: readonly string[] = [
  'AGGREGATOR_LISTEN_ADDRESS',
  'COLLECTOR_AGGREGATOR_ADDRESS',
  ...variableNames(tlsVariables('AGGREGATOR')),
  ...variableNames(tlsVariables('COLLECTOR')),
];

/** Defaults that differ from those of the halves: a new user must not wait long for the first record. */
export const STANDALONE_DEFAULTS: Readonly<Record<string, string>> = {
  AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1s',
};

function ofStandalone(variable: Variable, prefix: string): Variable {
  const { name, flag, description } = variable;
  const standard = STANDALONE_DEFAULTS[name];
  return {
    ...variable,
    flag: flag.replace(/^--/, prefix),
    ...(standard !== undefined && { default: standard }),
    description: descriptionOf(name, description),
  };
}

/** Both halves keep their state below one parent. */
function descriptionOf(name: string, description: string): string {
  if (name === 'COLLECTOR_AGGREGATOR_TIMEOUT')
    return 'With `COLLECTOR_ONCE`: maximum time without progress while records wait for an emitter, before it exits with an error; 0: no limit.';
  if (!name.endsWith('_STATE_DIRECTORY')) return description;
  return description
    .replace(/mega-collector\/(collector|aggregator)/g, 'mega-collector/standalone/$1')
    .replace('mega-collector/once/', 'mega-collector/once/standalone/');
}
