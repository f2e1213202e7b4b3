import { z } from 'zod';
import { PEER_ADDRESS } from '../../formats/connection-attributes.ts';
import type { ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { parseByteSize } from '../../runtime/configuration/byte-size.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { compileStartFormat, type StartFormat } from './start-format.ts';

/** How records of one sender are merged to one. */
export interface PackRule {
  /** Absent: it applies to all records. */
  readonly condition?: PackCondition;
  readonly by: PackBy;
  /** Records are merged only when these attributes of them are the same. */
  readonly key: readonly string[];
  /** Maximum time between the first record and the merged one. */
  readonly maxAgeMs: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

export type PackCondition = (record: ParsedRecord, context: RecordContext) => boolean;

/**
 * `time`: records within a window after the first one. `start`: a record that begins with one of the formats, and the
 * records after it that do not.
 */
export type PackBy =
  | { readonly kind: 'time'; readonly windowMs: number }
  | { readonly kind: 'start'; readonly formats: readonly StartFormat[] };

/** Compiles the text of `if`. Throws an Error whose message is the rest of a sentence. */
export type CompileCondition = (text: string) => PackCondition;

const DEFAULT_KEY = [PEER_ADDRESS, 'host.name', 'service.name'];
/** A merged record is one message of a socket, which has a limit, too. */
const MAX_BYTES = 512 * 1024;

const durationMs = z
  .string()
  .transform((text, context) => read(() => durationToMs(parseDuration(text)), context));

const byteSize = z
  .union([z.number(), z.string().transform((text, context) => read(() => parseByteSize(text), context))])
  .refine(
    (bytes) => Number.isSafeInteger(bytes) && Number(bytes) >= 1 && Number(bytes) <= MAX_BYTES,
    'expected a number of bytes up to "512KiB", or a text such as "64KiB"',
  )
  .transform(Number);

const startFormat = z.string().transform((text, context): StartFormat => {
  const result = compileStartFormat(text);
  if (result.kind === 'format') return result.format;
  context.addIssue({ code: 'custom', message: `expected a start format: it ${result.reason}` });
  return z.NEVER;
});

/** The keys of a rule. */
export const PACK_KEYS = ['if', 'by', 'window', 'formats', 'key', 'max_age', 'max_records', 'max_bytes'];

/**
 * The option `pack` of a listener, a list of rules: the first rule whose condition holds applies to a record.
 * `compileCondition`: for the key `if`.
 */
export function packSchema(compileCondition?: CompileCondition) {
  const condition = z.string().transform((text, context): PackCondition => {
    if (compileCondition !== undefined) return read(() => compileCondition(text), context);
    context.addIssue({ code: 'custom', message: 'conditions are not supported here' });
    return z.NEVER;
  });
  const shape = {
    if: condition.optional(),
    by: z.enum(['time', 'start']),
    window: durationMs.optional(),
    formats: z.array(startFormat).min(1, 'expected at least one start format').optional(),
    key: z.array(z.string().min(1)).default(DEFAULT_KEY),
    max_age: durationMs
      .prefault('5s')
      .refine((ms) => ms > 0 && ms <= 30_000, 'expected a duration up to 30s'),
    max_records: z.int().min(2).max(10_000).default(500),
    max_bytes: byteSize.prefault('64KiB'),
  };
  return z.array(z.strictObject(shape).transform(ruleOf)).min(1, 'expected at least one rule');
}

interface RuleOptions {
  readonly if?: PackCondition | undefined;
  readonly by: 'time' | 'start';
  readonly window?: number | undefined;
  readonly formats?: readonly StartFormat[] | undefined;
  readonly key: readonly string[];
  readonly max_age: number;
  readonly max_records: number;
  readonly max_bytes: number;
}

function ruleOf(options: RuleOptions, context: z.RefinementCtx): PackRule {
  const { if: condition, key, max_age: maxAgeMs, max_records: maxRecords, max_bytes: maxBytes } = options;
  const by = byOf(options);
  if (typeof by === 'string') {
    context.addIssue({ code: 'custom', message: by });
    return z.NEVER;
  }
  return { ...(condition !== undefined && { condition }), by, key, maxAgeMs, maxRecords, maxBytes };
}

/** A text is the problem. */
function byOf({ by, window: windowMs = 250, window, formats }: RuleOptions): PackBy | string {
  if (by === 'time')
    return formats === undefined ? { kind: 'time', windowMs } : '"formats" needs "by": "start"';
  if (window !== undefined) return '"window" needs "by": "time"';
  return formats === undefined ? '"by": "start" needs "formats"' : { kind: 'start', formats };
}

function read<T>(parse: () => T, context: z.RefinementCtx): T {
  try {
    return parse();
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
}
