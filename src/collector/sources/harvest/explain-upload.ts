import { lstat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import type { ExplainAsker } from '../../source.ts';
import type { PrefixHash } from '../tail/files/file-prefix.ts';
import type { FileStream } from '../tail/reading/file-stream.ts';
import { type ExplainedStatus, explainedStatusOf } from '../tail/tail-status.ts';
import type { HarvestEntry } from './configuration.ts';
import { isBelow, isIgnored } from './find-uploads.ts';

/** Why a file of an upload directory is read or not; undefined for a file elsewhere. */
export async function explainUpload(
  path: string,
  context: ExplainContext,
): Promise<UploadExplanation | undefined> {
  const entry = context.entries.find((one) => isBelow(path, one));
  if (entry === undefined) return undefined;
  if (context.stream !== undefined) return reading(context.stream);
  const notRead = (reason: string) => ({ kind: 'not-read', path, reason }) as const;
  const names = relative(entry.path, path).split(sep);
  const ignored = names.find((name) => isIgnored(entry, name));
  const isIgnoredFile = () => notRead(`its name is ignored (${entry.ignore.join(', ')})`);
  if (ignored !== undefined && context.asker === 'aggregator') return isIgnoredFile();
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  if (typeof found === 'string') return notRead(`it cannot be opened (${found})`);
  if (!found.isFile()) return notRead('it is not a regular file');
  if (ignored !== undefined) return isIgnoredFile();
  return notRead(context.reason ?? 'the next scan decides about it');
}

/** Sent as JSON, in the form of the tail's. */
export type UploadExplanation =
  | {
      readonly kind: 'followed';
      readonly path: string;
      readonly device: string;
      readonly inode: string;
      readonly prefix: PrefixHash;
      readonly status: ExplainedStatus;
      readonly failure?: string;
    }
  | { readonly kind: 'not-read'; readonly path: string; readonly reason: string };

export interface ExplainContext {
  readonly asker: ExplainAsker;
  readonly entries: readonly HarvestEntry[];
  /** The stream that reads the file. */
  readonly stream: FileStream | undefined;
  /** Why the last scan did not read it. */
  readonly reason: string | undefined;
}

function reading(stream: FileStream): UploadExplanation {
  const { path, place, content, file } = stream;
  const { device, inode } = place;
  const { failure } = file;
  return {
    kind: 'followed',
    ...{ path, device, inode, prefix: content.file.prefix, status: explainedStatusOf(stream) },
    ...(failure === undefined ? {} : { failure }),
  };
}
