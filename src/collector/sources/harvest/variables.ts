import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import { HARVEST_KEYS, parseHarvest } from './configuration.ts';

export const HARVEST_VARIABLES = {
  harvest: {
    name: 'COLLECTOR_HARVEST',
    flag: '--harvest',
    file: true,
    description:
      'Directories into which complete files are uploaded. Each file is read once, and then deleted, moved or kept.',
    format: 'JSON list of objects; each describes a directory',
    keys: HARVEST_KEYS,
    example: '[{"path": "/srv/upload", "after": "delete", "format": "json"}]',
    parse: parseHarvest,
  },
} as const satisfies VariableTable;
