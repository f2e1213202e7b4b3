import { OBSERVED_TIME, TIME_SOURCE } from '../../../formats/marker-attributes.ts';
import { EMPTY_RESOURCE } from '../../../records/resource.ts';
import type { ConfigurationWarning, Values } from '../../../runtime/configuration/configuration.ts';
import type { ConfigurationProblem } from '../../../runtime/configuration/configuration-error.ts';
import type { ParseContext } from '../source-type.ts';
import { globOfPath } from './files/path-patterns.ts';
import { describedResource, type TailEntry } from './files/tail-configuration.ts';
import type { TAIL_VARIABLES } from './variables.ts';

type TailValues = Values<typeof TAIL_VARIABLES>;

/** Expands COLLECTOR_SOURCE. */
export function sourceFileEntry(
  path: string,
  { now, sourceFormat, sourceEncoding }: Pick<TailValues, 'now' | 'sourceFormat' | 'sourceEncoding'>,
): TailEntry {
  const resource = now ? new Map([[TIME_SOURCE, OBSERVED_TIME]]) : EMPTY_RESOURCE;
  return {
    paths: [globOfPath(path)],
    exclude: [],
    format: sourceFormat.name,
    resource: describedResource(resource, { options: sourceFormat.options, encoding: sourceEncoding?.name }),
    startAt: 'beginning',
  };
}

/** A file that is read once cannot be combined with other sources, or with a request to follow it. */
export function sourceFileProblems(
  values: TailValues,
  { once, otherSources }: ParseContext,
): readonly ConfigurationProblem[] {
  if (values.sourceFile === undefined) return [];
  const problems: ConfigurationProblem[] = [];
  const others = [
    values.tail === undefined ? [] : 'COLLECTOR_TAIL',
    values.tailConfiguration === undefined ? [] : 'COLLECTOR_TAIL_CONFIGURATION',
    ...otherSources,
  ].flat();
  if (others.length > 0) {
    const message = `expected to be the only source, found ${others.join(' and ')} as well`;
    problems.push({ variable: 'COLLECTOR_SOURCE', message });
  }
  if (values.watch && once) {
    const message = 'expected COLLECTOR_ONCE to be off: a file is either followed or read once';
    problems.push({ variable: 'COLLECTOR_WATCH', message });
  }
  return problems;
}

export function sourceFileWarnings(values: TailValues): readonly ConfigurationWarning[] {
  if (values.sourceFile !== undefined) return [];
  const needless = [values.watch ? 'COLLECTOR_WATCH' : [], values.now ? 'COLLECTOR_NOW' : []].flat();
  return needless.map((variable) => ({ variable, message: 'has no effect without COLLECTOR_SOURCE' }));
}
