import type { EmitterType } from '../emitter.ts';
import { tryWriting } from '../try-writing.ts';
import { FILE_FORMAT, type FileConfiguration, outputPaths, parseFileConfiguration } from './configuration.ts';
import { FileEmitter } from './file-emitter.ts';

export const fileType: EmitterType<FileConfiguration> = {
  ...FILE_FORMAT,
  description: 'Appends records to files exactly once, with unchanged bytes.',
  returnsRecords: true,
  guarantee: 'exactly-once',
  parse: parseFileConfiguration,
  outputs: (configuration, { resource }) =>
    outputPaths(configuration, resource).map((path) => ({ kind: 'file', path })),
  tryConnections: async ({ path }) => {
    // The part before a placeholder is the same for all records.
    const failure = await tryWriting(path.includes('{') ? `${path.slice(0, path.indexOf('{'))}_` : path);
    return [{ target: `the file ${path}`, ...(failure && { failure }) }];
  },
  create: (configuration, environment) => new FileEmitter(configuration, environment),
};
