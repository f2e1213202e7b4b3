import type { EmitterType } from '../emitter.ts';
import { tryWriting } from '../try-writing.ts';
import {
  FILE_VARIABLE,
  type FileConfiguration,
  outputPaths,
  parseFileConfiguration,
} from './configuration.ts';
import { FileEmitter } from './file-emitter.ts';

export const fileType: EmitterType<FileConfiguration> = {
  type: 'file',
  variable: FILE_VARIABLE,
  description: 'Appends records to files exactly once, with unchanged bytes.',
  example: '{"path": "/var/log/all/{host.name}.log", "rotate_bytes": "1GiB"}',
  guarantee: 'exactly-once',
  options: [
    {
      key: 'path',
      format: 'path',
      description:
        'Required. Can contain placeholders for resource attributes: `/var/log/all/{host.name}.log`.',
    },
    {
      key: 'format',
      format: '`body` or `json`',
      default: 'body',
      description: '`body`: the unchanged records; `json`: one JSON object per record.',
    },
    {
      key: 'fsync',
      format: 'boolean',
      default: 'true',
      description: 'If false, a crash of the machine can lose records; a crash of the process cannot.',
    },
    {
      key: 'rotate_bytes',
      format: 'number of bytes, or a text such as `"100MiB"`',
      description: 'Size at which a file is renamed to the next number and a new one is started.',
    },
    { key: 'mode', format: 'octal text', default: '"0640"', description: 'Permissions of new files.' },
    {
      key: 'max_open_files',
      format: '1 to 4096',
      default: '64',
      description: 'Maximum number of open files.',
    },
  ],
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
