import { z } from 'zod';
import { schemaText } from '../../runtime/configuration/schema-problems.ts';
import type { EmitterState } from '../emitter.ts';
import { type FileEnd, fileEndSchema } from './file-end.ts';

/** The state committed with the cursor: the end of each output file at the flush, by path. */
export type FileState = ReadonlyMap<string, FileEnd>;

const schema = z.object({
  version: z.literal(1),
  files: z.array(fileEndSchema.extend({ path: z.string() })),
});

export function fileStateToJson(state: FileState): EmitterState {
  return { version: 1, files: [...state].map(([path, end]) => ({ path, ...end })) };
}

/** Throws for an unknown state: the committed lengths are then unknown, and a guess could truncate data. */
export function fileStateFromJson(json: EmitterState | undefined): FileState {
  if (json === undefined) return new Map();
  const result = schema.safeParse(json);
  if (!result.success) {
    throw new Error(
      `Cannot read the committed state of the file emitter: ${schemaText('state', result.error)}.`,
    );
  }
  return new Map(result.data.files.map(({ path, ...end }) => [path, end]));
}
