import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import type { ExplainAsker } from '../../source.ts';
import { isFileError } from './files/file-error.ts';
import type { PrefixHash } from './files/file-prefix.ts';
import type { PathClass, PathPatterns } from './files/path-patterns.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import type { GenerationOrder } from './identity/generation-order.ts';
import type { UnreadFiles, UnreadReason } from './identity/unread-files.ts';
import type { FileStream } from './reading/file-stream.ts';
import { reasonToWait } from './reading/rotation-drain.ts';
import { type ExplainedStatus, explainedStatusOf } from './tail-status.ts';

export async function explain(file: string, context: ExplainContext): Promise<Explanation> {
  const path = resolve(context.workingDirectory, file);
  const hidden = context.asker === 'aggregator' ? reasonToHide(file, path, context) : undefined;
  if (hidden !== undefined) return { kind: 'not-read', path: file, reason: hidden };
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isFileError(error)) return error;
    throw error;
  });
  const notRead = (reason: string): Explanation => ({ kind: 'not-read', path, reason });
  const unread = context.unread.get(path);
  if (unread?.kind === 'unnameable') return notRead(reasonOf(unread, context));
  if (found instanceof Error) return notRead(`it cannot be opened (${found.code ?? found.message})`);
  const stream = context.files.streamOf({ path, device: String(found.dev), inode: String(found.ino) });
  if (stream !== undefined && stream.path === path) return followed(stream, context);
  if (!found.isFile()) return notRead('it is not a regular file');
  if (unread !== undefined) return notRead(reasonOf(unread, context));
  const result = context.patterns.classify(path);
  if (result.kind === 'compressed')
    return notRead(`files ending in ${result.suffix} are excluded by default`);
  if (result.kind === 'excluded') return notRead(excludedReason(result));
  if (result.kind === 'no-pattern') return notRead('no pattern matches it');
  if (stream !== undefined) return notRead(`it is the same file as ${stream.path}, which is read`);
  return notRead('the next scan decides about it');
}

/** The stream that reads a file, or the reason why it is not read. Sent as JSON. */
export type Explanation =
  | {
      readonly kind: 'followed';
      readonly path: string;
      readonly device: string;
      readonly inode: string;
      readonly prefix: PrefixHash;
      readonly status: ExplainedStatus;
      /** The older generation that is read first. */
      readonly waitsFor?: string;
      /** Why it waits: the rest of a sentence that begins with the path of `waitsFor`. */
      readonly waitsBecause?: string;
      readonly failure?: string;
    }
  | { readonly kind: 'not-read'; readonly path: string; readonly reason: string };

export interface ExplainContext {
  readonly asker: ExplainAsker;
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly unread: UnreadFiles;
  readonly order: GenerationOrder;
  readonly workingDirectory: string;
  readonly clock: Clock;
}

/** For a file that this source neither reads nor would read: its path decides, and not whether it exists. */
function reasonToHide(file: string, path: string, { files, patterns }: ExplainContext): string | undefined {
  if (!isAbsolute(file)) return 'it is not an absolute path';
  if (Array.from(files.streams.values()).some((stream) => stream.path === path)) return undefined;
  const result = patterns.classify(path);
  if (result.kind === 'no-pattern') return 'no pattern matches it';
  if (result.kind === 'excluded') return excludedReason(result);
  return undefined;
}

function excludedReason({ entry }: PathClass & { readonly kind: 'excluded' }): string {
  return `it is excluded (${entry.exclude.join(', ')})`;
}

function followed(stream: FileStream, { order, clock }: ExplainContext): Explanation {
  const { device, inode } = stream.place;
  const before = stream.isOpened && !stream.isHeldBack ? undefined : order.first(stream.lineage);
  const { failure } = stream.file;
  return {
    kind: 'followed',
    path: stream.path,
    ...{ device, inode, prefix: stream.content.file.prefix, status: explainedStatusOf(stream) },
    ...(before === undefined || before === stream
      ? {}
      : { waitsFor: before.path, waitsBecause: reasonToWait(before, clock) }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function reasonOf(reason: UnreadReason, { files }: ExplainContext): string {
  switch (reason.kind) {
    case 'empty':
      return 'it is empty';
    case 'older':
      return `ignore_older: its last write was at ${new Date(reason.modifiedUnixMs).toISOString()}`;
    case 'unreadable':
      return 'it cannot be opened; check its permissions';
    case 'compressed':
      return `it is compressed (${reason.compression}, by its first bytes); decompress it to read it`;
    case 'archive':
      return reason.reason;
    case 'undecided':
      return 'it has too few bytes to distinguish text from compressed data; a scan decides again when it grows';
    case 'unnameable':
      return 'its name is not UTF-8';
    case 'duplicate':
      return `it is the same file as ${reason.of}, which is read`;
    case 'copy': {
      const original = files.streams.get(reason.of);
      return `it is a copy of ${original === undefined ? `stream ${reason.of}` : original.path}`;
    }
  }
}
