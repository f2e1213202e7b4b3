import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TlsMaterial } from '../../src/runtime/tls.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ApiPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
}

/** The part of the API of Kubernetes that lists and watches pods, with real versions, pages, tokens and expiry. */
export class KubernetesServer {
  readonly tokenFile: string;
  readonly requests: { readonly url: string; readonly accept: string }[] = [];
  /** Pods on a page of a list. */
  pagePods = 2;
  #server: ReturnType<typeof createHttpServer> | undefined;
  #token = 'token-1';
  #version = 100;
  /** The oldest version from which a watch can begin. */
  #oldest = 0;
  readonly #pods = new Map<string, ApiPod>();
  readonly #history: { readonly version: number; readonly line: string }[] = [];
  readonly #watches = new Set<ServerResponse>();
  #port = 0;

  private constructor(tokenFile: string) {
    this.tokenFile = tokenFile;
  }

  static async start(tls?: Pick<TlsMaterial, 'certificate' | 'key'>): Promise<KubernetesServer> {
    const server = new KubernetesServer(join(await temporaryDirectory(), 'token'));
    await server.changeToken('token-1');
    await server.listen(tls);
    onTestFinished(() => server.close());
    return server;
  }

  async listen(tls?: Pick<TlsMaterial, 'certificate' | 'key'>): Promise<void> {
    const answer: RequestListener = (request, response) => this.#answer(request, response);
    this.#server =
      tls === undefined
        ? createHttpServer(answer)
        : createHttpsServer({ cert: tls.certificate, key: tls.key }, answer);
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get watches(): number {
    return this.#watches.size;
  }

  /** The server accepts only this token from now on. */
  async changeToken(token: string): Promise<void> {
    this.#token = token;
    await writeFile(this.tokenFile, `${token}\n`);
  }

  put(pod: ApiPod): void {
    const type = this.#pods.has(pod.metadata.uid) ? 'MODIFIED' : 'ADDED';
    this.#pods.set(pod.metadata.uid, pod);
    this.#change(type, pod);
  }

  delete(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) throw new Error(`There is no pod ${uid}.`);
    this.#pods.delete(uid);
    this.#change('DELETED', pod);
  }

  /** Forgets the changes until now, and ends the watches as a compaction does. */
  expire(): void {
    this.#oldest = ++this.#version;
    const object = { kind: 'Status', code: 410, message: 'too old resource version' };
    for (const watch of this.#watches) watch.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
  }

  /** Ends the connections. */
  cut(): void {
    for (const watch of this.#watches) watch.destroy();
  }

  /** Sends bytes to all watches. */
  send(text: string): void {
    for (const watch of this.#watches) watch.write(text);
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  #change(type: string, pod: ApiPod): void {
    const version = ++this.#version;
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } };
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#history.push({ version, line });
    for (const watch of this.#watches) watch.write(line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://localhost');
    this.requests.push({ url: request.url ?? '', accept: request.headers.accept ?? '' });
    if (request.headers.authorization !== `Bearer ${this.#token}`) {
      refuse(response, 401, 'Unauthorized');
    } else if (url.searchParams.has('watch')) {
      this.#watch(Number(url.searchParams.get('resourceVersion')), response);
    } else {
      this.#list(url, response);
    }
  }

  #list(url: URL, response: ServerResponse): void {
    const [, namespace] = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(url.pathname) ?? [];
    const pods = [...this.#pods.values()].filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    );
    const first = Number(url.searchParams.get('continue') ?? 0);
    const end = first + this.pagePods;
    const rest = end < pods.length ? { continue: String(end) } : {};
    const metadata = { resourceVersion: String(this.#version), ...rest };
    response.end(JSON.stringify({ kind: 'PodList', metadata, items: pods.slice(first, end) }));
  }

  #watch(version: number, response: ServerResponse): void {
    if (version < this.#oldest) {
      refuse(response, 410, 'too old resource version');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const { version: each, line } of this.#history) if (each > version) response.write(line);
    this.#watches.add(response);
    response.once('close', () => this.#watches.delete(response));
  }
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}
