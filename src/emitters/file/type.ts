import type { EmitterType } from '../emitter.ts';
import { FILE_VARIABLE, type FileConfiguration, parseFileConfiguration } from './configuration.ts';
import { FileEmitter } from './file-emitter.ts';

export const fileType: EmitterType<FileConfiguration> = {
  type: 'file',
  variable: FILE_VARIABLE,
  description: 'Appends records to files: exactly once, the bytes as they were read.',
  example: '{"path": "/var/log/all/{host.name}.log", "rotate_bytes": "1GiB"}',
  guarantee: 'exactly-once',
  parse: parseFileConfiguration,
  create: (configuration, environment) => new FileEmitter(configuration, environment),
};
