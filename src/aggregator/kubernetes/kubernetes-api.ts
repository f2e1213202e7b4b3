import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { z } from 'zod';
import type { KubernetesConfiguration } from './kubernetes-configuration.ts';
import { type PodMetadata, podObject } from './pod-metadata.ts';

/**
 * Lists and watches the metadata of pods. Only metadata is requested, a tenth of complete pods.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
export class KubernetesApi {
  readonly #configuration: KubernetesConfiguration;

  constructor(configuration: KubernetesConfiguration) {
    this.#configuration = configuration;
  }

  /** Yields the pages of a list of all pods. Rejects with a KubernetesError, or when the connection fails. */
  async *list(signal: AbortSignal): AsyncGenerator<PodPage> {
    let rest: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(PAGE_PODS), ...(rest && { continue: rest }) });
      const answer = await this.#get(query, LIST_TYPE, signal);
      const { metadata, items } = listAnswer.parse(JSON.parse(await textOf(answer)));
      yield { version: metadata.resourceVersion, pods: items };
      rest = metadata.continue;
    } while (rest !== undefined && rest !== '');
  }

  /** Yields the changes after a version, until the server ends the answer. Rejects as `list`. */
  async *watch(version: string, signal: AbortSignal): AsyncGenerator<PodChange> {
    const query = new URLSearchParams({
      watch: '1',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const answer = await this.#get(query, ITEM_TYPE, signal);
    for await (const line of linesOf(answer)) yield changeOf(JSON.parse(line));
  }

  async #get(query: URLSearchParams, type: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { server, namespace, tokenFile, caFile } = this.#configuration;
    const place = namespace === undefined ? 'pods' : `namespaces/${namespace}/pods`;
    const url = new URL(`/api/v1/${place}?${query.toString()}`, server);
    const headers = { authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`, accept: type };
    const options = { headers, signal, timeout: SILENCE_MS };
    const isHttps = url.protocol === 'https:';
    const ca = isHttps ? await readFile(caFile, 'utf8') : undefined;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = isHttps
        ? requestHttps(url, { ...options, ca }, resolve)
        : requestHttp(url, options, resolve);
      request.once('timeout', () => request.destroy(new Error('the server is silent')));
      request.once('error', reject);
      request.end();
    });
    if (answer.statusCode === 200) return answer;
    const text = await textOf(answer).catch(() => '');
    throw new KubernetesError(answer.statusCode ?? 0, messageOf(text));
  }
}

export interface PodPage {
  /** The version of the list, for `watch`. */
  readonly version: string;
  readonly pods: readonly PodMetadata[];
}

export type PodChange =
  | { readonly kind: 'put' | 'deleted'; readonly pod: PodMetadata; readonly version: string }
  /** Nothing has changed until this version. */
  | { readonly kind: 'bookmark'; readonly version: string }
  /** The server does not have the changes after the version any more. */
  | { readonly kind: 'expired' };

/** An answer of the server that is not a success. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(`the server answers ${status}${message === '' ? '' : `: ${message}`}`);
    this.status = status;
  }
}

const LIST_TYPE = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';
const ITEM_TYPE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json';
const PAGE_PODS = 500;
const WATCH_SECONDS = 300;
/** Longer than a watch, which may be quiet until its end. */
const SILENCE_MS = 330_000;
/** A page of complete pods, and more. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** An object of Kubernetes has at most 1.5 MiB. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const STATUS_GONE = 410;

const listAnswer = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z
    .array(podObject)
    .nullish()
    .transform((items) => items ?? []),
});

const changeAnswer = z.object({ type: z.string(), object: z.unknown() });
const versioned = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const failure = z.object({ code: z.number().optional(), message: z.string().optional() });

function changeOf(value: unknown): PodChange {
  const { type, object } = changeAnswer.parse(value);
  if (type === 'ERROR') {
    const { code = 0, message = '' } = failure.parse(object);
    if (code === STATUS_GONE) return { kind: 'expired' };
    throw new KubernetesError(code, shortened(message));
  }
  const version = versioned.parse(object).metadata.resourceVersion;
  if (type === 'BOOKMARK') return { kind: 'bookmark', version };
  return { kind: type === 'DELETED' ? 'deleted' : 'put', pod: podObject.parse(object), version };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer has at most ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      const line = Buffer.concat([...parts, chunk.subarray(begin, end)]).toString('utf8');
      [parts, bytes, begin] = [[], 0, end + 1];
      if (line.trim() !== '') yield line;
    }
    parts.push(chunk.subarray(begin));
    bytes += chunk.length - begin;
    if (bytes > MAX_LINE_BYTES) throw new Error(`a change has at most ${MAX_LINE_BYTES} bytes`);
  }
}

/** The message of a `Status`. */
function messageOf(text: string): string {
  try {
    return shortened(failure.parse(JSON.parse(text)).message ?? '');
  } catch {
    return '';
  }
}

function shortened(message: string): string {
  return message.slice(0, 500);
}
