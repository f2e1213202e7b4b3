import type { EmitterType } from '../emitter.ts';
import { FILE_VARIABLE, type FileConfiguration, parseFileConfiguration } from './configuration.ts';
import { FileEmitter } from './file-emitter.ts';

export const fileType: EmitterType<FileConfiguration> = {
  type: 'file',
  variable: FILE_VARIABLE,
  description: 'Appends records to files: exactly once, the bytes as they were read.',
  example: '{"path": "/var/log/all/{host.name}.log", "rotate_bytes": "1GiB"}',
  guarantee: 'exactly-once',
  options: [
    {
      key: 'path',
      format: 'path',
      description:
        'Required. May hold places for what records say of their origin: `/var/log/all/{host.name}.log`.',
    },
    {
      key: 'format',
      format: '`body` or `json`',
      default: 'body',
      description: 'The records as they are, or one JSON object for each.',
    },
    {
      key: 'fsync',
      format: 'boolean',
      default: 'true',
      description: 'Without it a crash of the process still costs nothing, a crash of the machine may.',
    },
    {
      key: 'rotate_bytes',
      format: 'number of bytes, or a text such as `"100MiB"`',
      description: 'A file that is this large is renamed to a number of its own, and a new one begun.',
    },
    { key: 'mode', format: 'octal text', default: '"0640"', description: 'The permissions of new files.' },
    {
      key: 'max_open_files',
      format: '1 to 4096',
      default: '64',
      description: 'How many files are held open at a time.',
    },
  ],
  parse: parseFileConfiguration,
  create: (configuration, environment) => new FileEmitter(configuration, environment),
};
