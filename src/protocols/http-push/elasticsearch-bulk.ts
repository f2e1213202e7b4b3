import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS, TOO_MANY_RECORDS } from './push-limits.ts';
import { textLines } from './text-lines.ts';

/** One operation of a bulk request of Elasticsearch. */
export interface BulkOperation {
  /** `create`, `index`, `update` or `delete`. */
  readonly action: BulkAction;
  readonly index: string;
  readonly id: string | undefined;
  /** The bytes of the document; undefined for `delete`. */
  readonly document: Buffer | undefined;
}

const ACTIONS = ['create', 'index', 'update', 'delete'] as const;
type BulkAction = (typeof ACTIONS)[number];

/** Elasticsearch's own limits. */
const MAX_INDEX_BYTES = 255;
const MAX_ID_BYTES = 512;

/** Reads the lines of a bulk request. `defaultIndex`: that of the path. Throws a PushFault when they are not valid. */
export function readBulk(body: Buffer, defaultIndex: string): readonly BulkOperation[] {
  const operations: BulkOperation[] = [];
  const lines = linesOf(body);
  for (let at = 0; at < lines.length; ) {
    const action = actionOf(lines[at++] ?? Buffer.alloc(0), defaultIndex);
    const document = action.action === 'delete' ? undefined : lines[at++];
    if (action.action !== 'delete' && document === undefined)
      throw new PushFault('The last operation of the bulk request has no document.');
    if (operations.length === PUSH_LIMITS.requestRecords) throw new PushFault(TOO_MANY_RECORDS);
    operations.push({ ...action, document });
  }
  if (operations.length === 0) throw new PushFault('request body is required');
  return operations;
}

/** Without line endings and empty lines. */
function linesOf(body: Buffer): readonly Buffer[] {
  return textLines(body, 2 * PUSH_LIMITS.requestRecords).map((line) =>
    line.at(-1) === CR ? line.subarray(0, -1) : line,
  );
}

const CR = 0x0d;

type Action = Omit<BulkOperation, 'document'>;

function actionOf(line: Buffer, defaultIndex: string): Action {
  const [entry, ...others] = Object.entries(objectOf(parsed(line)) ?? {});
  const action = ACTIONS.find((each) => each === entry?.[0]);
  const properties = objectOf(entry?.[1]);
  if (action === undefined || properties === undefined || others.length > 0)
    throw new PushFault(
      'Malformed action/metadata line: expected create, index, update or delete with an object.',
    );
  const index = textOf(properties._index, MAX_INDEX_BYTES) ?? defaultIndex;
  return { action, index, id: textOf(properties._id, MAX_ID_BYTES) };
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    throw new PushFault('Malformed action/metadata line: it is not JSON.');
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}

function textOf(value: unknown, maxBytes: number): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && Buffer.byteLength(text) <= maxBytes) return text;
  throw new PushFault(
    `_index must be a text of at most ${MAX_INDEX_BYTES} bytes, and _id of ${MAX_ID_BYTES}.`,
  );
}
