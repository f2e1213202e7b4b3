import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { POSTGRES_IDENTITY, POSTGRES_SOCKET } from '../../formats/postgres/resource-attributes.ts';
import { parseServes, type ServeRecord } from '../../protocols/febe/parse-serves.ts';
import {
  isFault,
  type LogplexTarget,
  parseLogplexUrl,
  type TargetFault,
  tokenTarget,
} from '../../protocols/logplex/logplex-target.ts';
import type { Resource } from '../../records/resource.ts';
import type { Destination } from './destination.ts';
import type { LogplexEvents } from './events.ts';
import type { Route, Routes } from './routes.ts';

export interface ServeRoutesOptions {
  /** Contains `serves.loaded`. */
  readonly directory: string;
  /** LOGPLEX_URL: the URL for serve records with a token (`t`). */
  readonly logplexUrl: string | undefined;
  /** Secrets are only in the target; the name is for operators. */
  readonly createDestination: (target: LogplexTarget, name: string) => Destination;
  readonly events: LogplexEvents;
}

/** Enough for several hundred thousand tenants. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Routes by the serve database: the identity and the socket of a record select the serve record whose
 * credential is used. This class only reads `serves.loaded`; a collector or an operator replaces it by
 * rename.
 *
 * Checks the file before each batch and reads it again if it changed. If that fails, the previous version
 * stays in use; if no version was ever read, all records wait. A destination with unchanged URL and token
 * keeps its connections and waiting times.
 */
export class ServeRoutes implements Routes {
  readonly #options: ServeRoutesOptions;
  #version: string | undefined;
  #fault: string | undefined = 'the serve database is not loaded';
  #routes: ReadonlyMap<string, readonly SocketRoute[]> = new Map();
  #destinations: ReadonlyMap<string, Destination> = new Map();

  constructor(options: ServeRoutesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#destinations.size;
  }

  async refresh(): Promise<string | undefined> {
    const found = await this.#readFile();
    if (found.version === this.#version) return this.#fault;
    this.#version = found.version;
    const parsed =
      found.text === undefined
        ? { kind: 'rejected' as const, reason: found.reason }
        : parseServes(found.text, { tokensAllowed: this.#options.logplexUrl !== undefined });
    if (parsed.kind === 'records') {
      this.#apply(parsed.records);
      this.#fault = undefined;
    } else {
      const reason = `serves.loaded ${parsed.reason}`;
      this.#options.events.servesUnreadable({ reason });
      if (this.#fault !== undefined) this.#fault = reason;
    }
    return this.#fault;
  }

  routeOf(resource: Resource): Route {
    const identity = resource.get(POSTGRES_IDENTITY);
    if (identity === undefined)
      return none(`the record has no ${POSTGRES_IDENTITY}, which is needed to find its serve record`);
    const named = JSON.stringify(identity);
    const routes = this.#routes.get(identity) ?? [];
    if (routes.length === 0) return none(`the serve database has no record for the identity ${named}`);
    const socket = resource.get(POSTGRES_SOCKET);
    const exact = routes.find(({ path }) => path === socket);
    if (exact !== undefined) return exact.route;
    // If the socket paths differ from those in the database, the identity alone must be sufficient.
    if (routes.every(({ key }) => key === routes[0]?.key)) return routes[0]?.route ?? none('');
    return none(`the serve database has several records for the identity ${named}, none for this socket`);
  }

  async #readFile(): Promise<Found> {
    let file: FileHandle | undefined;
    try {
      file = await open(join(this.#options.directory, 'serves.loaded'));
      const { ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
      const version = `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      if (version === this.#version) return { version, text: undefined, reason: '' };
      if (size > MAX_FILE_BYTES)
        return { version, text: undefined, reason: `is larger than ${MAX_FILE_BYTES} bytes` };
      return { version, text: await file.readFile('utf8'), reason: '' };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      return { version: code, text: undefined, reason: `cannot be read (${code})` };
    } finally {
      await file?.close();
    }
  }

  #apply(records: readonly ServeRecord[]): void {
    const routes = new Map<string, SocketRoute[]>();
    const destinations = new Map<string, Destination>();
    const unusable: string[] = [];
    for (const record of records) {
      const target = this.#targetOf(record);
      const key = JSON.stringify(target);
      const route = isFault(target)
        ? none(`unusable serve record of the identity ${JSON.stringify(record.identity)}: ${target.fault}`)
        : this.#routeTo(target, record, { key, destinations });
      if (route.kind === 'none') unusable.push(route.reason);
      const others = routes.get(record.identity) ?? [];
      routes.set(record.identity, [...others, { path: record.path, key, route }]);
    }
    for (const [key, destination] of this.#destinations) if (!destinations.has(key)) destination.forget();
    this.#routes = routes;
    this.#destinations = destinations;
    this.#options.events.servesRead({ records: records.length });
    if (unusable.length > 0) this.#options.events.servesUnusable({ unusable });
  }

  #routeTo(
    target: LogplexTarget,
    { identity, name }: ServeRecord,
    { key, destinations }: { readonly key: string; readonly destinations: Map<string, Destination> },
  ): Route {
    const destination =
      destinations.get(key) ??
      this.#destinations.get(key) ??
      this.#options.createDestination(target, `${target.origin} for ${JSON.stringify(name ?? identity)}`);
    destinations.set(key, destination);
    return { kind: 'destination', destination, label: name };
  }

  #targetOf({ credential }: ServeRecord): LogplexTarget | TargetFault {
    return credential.kind === 'url'
      ? parseLogplexUrl(credential.url.href)
      : tokenTarget(credential.token, this.#options.logplexUrl ?? '');
  }
}

/** The content of the file, or the reason why it cannot be read. */
interface Found {
  /** Changes with the file. */
  readonly version: string;
  readonly text: string | undefined;
  readonly reason: string;
}

interface SocketRoute {
  readonly path: string;
  /** Identifies the credential. Secret. */
  readonly key: string;
  readonly route: Route;
}

function none(reason: string): Route {
  return { kind: 'none', reason };
}
