import {
  type ConfigurationWarning,
  type Environment,
  parseVariables,
} from '../runtime/configuration/configuration.ts';
import type { ConfigurationProblem } from '../runtime/configuration/configuration-error.ts';
import { sourceTypes } from './sources/registry.ts';
import type { ConfiguredSource, ParsedSource, SourceType } from './sources/source-type.ts';

/** The configured sources of the registry, with all problems: also that none is configured. */
export function configuredSources(environment: Environment, once: boolean): ConfiguredSources {
  const parsed = sourceTypes.map((type) => ({ type, ...parseSource(type, environment, once) }));
  const problems = parsed.flatMap((each) => each.valueProblems);
  const sources = parsed.flatMap(({ type, source: { configuration } }) =>
    configuration === undefined ? [] : [{ type, configuration }],
  );
  if (sources.length === 0 && !problems.some(isAboutSources)) problems.push(nothingToCollect());
  problems.push(...parsed.flatMap(({ source }) => source.problems ?? []));
  for (const { type, configuration } of sources)
    problems.push(...(type.conflicts?.(configuration, sources) ?? []));
  return {
    sources,
    problems,
    warnings: parsed.flatMap(({ source }) => source.warnings ?? []),
    isOneShot: parsed.some(({ source }) => source.isOneShot),
    isAttended: parsed.some(({ source }) => source.isAttended),
  };
}

export interface ConfiguredSources {
  readonly sources: readonly ConfiguredSource[];
  readonly problems: readonly ConfigurationProblem[];
  readonly warnings: readonly ConfigurationWarning[];
  /** A source ends the run by itself. */
  readonly isOneShot: boolean;
  readonly isAttended: boolean;
}

function parseSource(
  type: SourceType,
  environment: Environment,
  once: boolean,
): { readonly valueProblems: readonly ConfigurationProblem[]; readonly source: ParsedSource } {
  const { values, problems } = parseVariables(type.variables, environment);
  const otherSources = sourceTypes
    .filter((other) => other !== type)
    .flatMap(({ enabledBy }) => enabledBy.filter((name) => environment[name] !== undefined));
  return { valueProblems: problems, source: type.parse(values, { once, otherSources }) };
}

/** A place in a value begins with the name of its variable: `COLLECTOR_TAIL_CONFIGURATION[0].paths`. */
function isAboutSources({ variable }: ConfigurationProblem): boolean {
  return sourceTypes.some(({ enabledBy }) => enabledBy.some((name) => variable.startsWith(name)));
}

function nothingToCollect(): ConfigurationProblem {
  const examples = sourceTypes.flatMap(({ enabledBy, variables }) => {
    const known = Object.values(variables);
    return enabledBy.map((name) => `  ${name}='${known.find((each) => each.name === name)?.example ?? ''}'`);
  });
  return {
    variable: sourceTypes[0]?.enabledBy[0] ?? '',
    message: `expected at least one source, found none. For example:\n${examples.join('\n')}`,
  };
}
