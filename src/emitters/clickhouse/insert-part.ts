import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import type { Connection, RequestOptions } from './connection.ts';
import { type DayBlock, INSERTED_COLUMNS } from './day-block.ts';
import { isUnreachable } from './describe-failure.ts';
import type { PartEncoder } from './part-encoder.ts';
import { INSERT_SETTINGS } from './query-settings.ts';
import { writeText } from './row-binary.ts';
import type { SpareBlocks } from './spare-blocks.ts';

/**
 * Inserts a part of the records of a flush:
 *
 *     own names          before the rows, so that no reader misses one
 *     rows               one INSERT for each day, with a token: repeated with the same token, it has no effect
 */
export async function insertPart({ names, days }: EncodedPart, options: InsertOptions): Promise<void> {
  await insertNames(names, options);
  for (const [day, block] of days) await insertDay(day, block, options);
}

export type EncodedPart = Pick<PartEncoder, 'names' | 'days'>;

export interface InsertOptions {
  readonly connection: Connection;
  readonly request: Omit<RequestOptions, 'settings'>;
  /** Never used by another part, nor by another process. */
  readonly token: string;
  /** The names that this process has stored; new ones are added. */
  readonly knownNames: Set<string>;
  readonly spare: Pick<SpareBlocks, 'keep'>;
}

const INSERT_ROWS = `insert into ${LOG_TABLE} (${INSERTED_COLUMNS.join(', ')}) format Native`;

async function insertDay(day: number, block: DayBlock, options: InsertOptions): Promise<void> {
  const { connection, request, token, spare } = options;
  if (block.rows === 0) return;
  const settings = { ...INSERT_SETTINGS, insert_deduplication_token: `${token}-${day}` };
  const { frames } = block;
  const insert = () => connection.insert(INSERT_ROWS, frames, { ...request, settings });
  try {
    await insert();
  } catch (error) {
    // The first one may have been stored; the server then ignores the second one.
    if (!isUnreachable(error) || request.signal?.aborted === true) throw error;
    await insert();
    // The connection of the first one may still read from the block.
    return;
  }
  spare.keep(block);
}

async function insertNames(
  found: ReadonlySet<string>,
  { connection, request, knownNames }: InsertOptions,
): Promise<void> {
  const names = [...found].filter((name) => !knownNames.has(name));
  if (names.length === 0) return;
  const rows = names.map((name) => {
    const bytes = Buffer.alloc(Buffer.byteLength(name) + 5);
    return bytes.subarray(0, writeText(bytes, 0, name));
  });
  await connection.insert(`insert into ${OWN_NAMES_TABLE} (name) format RowBinary`, rows, {
    ...request,
    settings: INSERT_SETTINGS,
  });
  for (const name of names) knownNames.add(name);
}
