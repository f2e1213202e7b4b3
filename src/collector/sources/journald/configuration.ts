import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';

/** A first character `-` would be an option of journalctl. */
const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => value.startsWith('/') && !value.includes('\0'), 'expected an absolute path');
const MATCH = /^[A-Z_][A-Z0-9_]{0,63}=/;
const MAX_MATCHES = 100;

const shape = {
  directory: path.optional().meta({
    format: 'path',
    description: 'Directory with journal files. Without it and `files`, the journal of this machine is read.',
  }),
  files: z.array(path).min(1).max(MAX_MATCHES).optional().meta({
    format: 'list of paths or globs',
    description: 'Journal files, instead of `directory`.',
  }),
  namespace: z
    .string()
    .regex(/^[A-Za-z0-9*+_.][A-Za-z0-9*+_.:-]{0,254}$/, 'expected the name of a namespace')
    .optional()
    .meta({
      format: 'name, `*`, or `+name`',
      description: 'Namespace of the journal, as for `journalctl --namespace`.',
    }),
  merge: z.boolean().default(false).meta({
    description:
      'Also read the journals of other machines, which `systemd-journal-remote` has stored. Always so for `directory` and `files`.',
  }),
  units: z.array(z.string().min(1).max(255)).max(MAX_MATCHES).default([]).meta({
    format: 'list of unit names',
    description: 'Only entries of these systemd units (`_SYSTEMD_UNIT`).',
  }),
  matches: z
    .array(z.string().max(4096).regex(MATCH, 'expected FIELD=value'))
    .max(MAX_MATCHES)
    .default([])
    .meta({
      format: 'list of `FIELD=value`',
      description:
        'Only entries with these fields. Several values of one field are alternatives; different fields must all match.',
    }),
  start: z.enum(['beginning', 'end']).default('beginning').meta({
    description:
      'Where a journal without a saved cursor is read from: its oldest entry, or only new entries.',
  }),
  resource: z
    .record(z.string(), z.string())
    .default({})
    .meta({ format: 'object of texts', description: 'Resource attributes that are added to every record.' }),
  command: path
    .default('/usr/bin/journalctl')
    .meta({ format: 'path', description: 'The program journalctl.' }),
};

const schema = z.strictObject(shape);

/** One journal, or a part of it. */
export type JournaldEntry = z.output<typeof schema>;

export const JOURNALD_KEYS = schemaOptions(shape);
export const JOURNALD_EXAMPLE = '[{"units": ["ssh.service", "nginx.service"]}]';

/** A JSON list, or one object. Throws ConfigurationError with all problems. */
export function parseJournaldConfiguration(text: string, variable: string): readonly JournaldEntry[] {
  const value = parsed(text, variable);
  const problems: ConfigurationProblem[] = [];
  const given = Array.isArray(value) ? value : [value];
  const entries = given.flatMap((each, index) => {
    const place = Array.isArray(value) ? `${variable}[${index}]` : variable;
    const result = schema.safeParse(each);
    if (!result.success) {
      problems.push(...schemaProblems(place, result.error, (at) => (at.length === 0 ? KEYS : [])));
      return [];
    }
    problems.push(...exclusionProblems(result.data, place));
    return [result.data];
  });
  if (given.length === 0) problems.push({ variable, message: 'expected at least one journal in the list' });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return entries;
}

const KEYS = Object.keys(shape);

function exclusionProblems(entry: JournaldEntry, place: string): readonly ConfigurationProblem[] {
  const given = (['directory', 'files', 'namespace'] as const).filter((key) => entry[key] !== undefined);
  return given.length < 2
    ? []
    : [{ variable: place, message: `only one of ${given.join(', ')} can be set: each names the journal` }];
}

function parsed(text: string, variable: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = jsonProblem('a JSON list of objects', text, JOURNALD_EXAMPLE);
    throw new ConfigurationError([{ variable, message }]);
  }
}
