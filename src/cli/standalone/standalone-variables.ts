import { aggregatorVariables } from '../../aggregator/config.ts';
import { collectorVariables } from '../../collector/config.ts';
import {
  type Variable,
  type VariableTable,
  variableNames,
} from '../../runtime/configuration/configuration.ts';
import { tlsVariables } from '../../runtime/configuration/tls-variables.ts';

/** How halves in two processes find and trust each other. One process needs none of it. */
export const NEEDLESS_VARIABLES: readonly string[] = [
  'AGGREGATOR_LISTEN_ADDRESS',
  'COLLECTOR_AGGREGATOR_ADDRESS',
  ...variableNames(tlsVariables('AGGREGATOR')),
  ...variableNames(tlsVariables('COLLECTOR')),
];

/** Where it is not the half's own default. The longest wait of a record should not be the first thing that one sees. */
export const STANDALONE_DEFAULTS: Readonly<Record<string, string>> = {
  AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1s',
};

/** The variables of both halves. A flag that both have begins with the half's name: `--collector-log-level`. */
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

function ofStandalone(variable: Variable, prefix: string): Variable {
  const { name, flag, description } = variable;
  const standard = STANDALONE_DEFAULTS[name];
  return {
    ...variable,
    flag: flag.replace(/^--/, prefix),
    ...(standard !== undefined && { default: standard }),
    description: name.endsWith('_STATE_DIRECTORY') ? inStandalone(description) : description,
  };
}

/** Both halves have their state below one parent. */
function inStandalone(description: string): string {
  return description
    .replace(/mega-collector\/(collector|aggregator)/g, 'mega-collector/standalone/$1')
    .replace('mega-collector/once/', 'mega-collector/once/standalone/');
}
