import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { LogEntry } from '../../../src/page/records/log-entry.ts';
import { MockMonitoring, MockRefusal } from './mock-monitoring.ts';
import { MockOperations } from './mock-operations.ts';
import { mockRecord, mockRecords } from './mock-records.ts';
import { fieldsOf, histogramOf, selected } from './mock-search.ts';

/** As the aggregator sends it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The API of the aggregator for tests of the page: records that it generates, and faults on request. */
export class MockAggregator {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #page: string;
  readonly #tails = new Set<ServerResponse>();
  readonly #sent: { readonly id: number; readonly text: string }[] = [];
  #records: readonly LogEntry[];
  readonly monitoring = new MockMonitoring();
  readonly operations = new MockOperations();
  /** Requests, as `GET /v1/logs?from=...`. */
  readonly requests: string[] = [];
  /** The value of Last-Event-ID of each tail; undefined: none. */
  readonly tailStarts: (string | undefined)[] = [];
  #token: string | undefined;
  #isSignedIn = false;

  constructor({ page, records = 3000 }: { readonly page: string; readonly records?: number }) {
    this.#page = page;
    this.#records = mockRecords(records, Date.now());
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** The same port again, after `stop`. */
  async restart(address: string): Promise<void> {
    await new Promise<void>((resolve) =>
      this.#server.listen(Number(new URL(address).port), '127.0.0.1', resolve),
    );
  }

  /** If set, requests need this token. A change ends the session. */
  set token(token: string | undefined) {
    this.#token = token;
    this.#isSignedIn = false;
  }

  get records(): readonly LogEntry[] {
    return this.#records;
  }

  /** Stores records, and sends them to the tails. */
  append(count: number): void {
    const first = this.#records.length;
    const added = Array.from({ length: count }, (_, at) =>
      mockRecord(first + at, Date.now(), first + at + 1),
    );
    this.#records = [...added.toReversed(), ...this.#records];
    for (const entry of added) this.#send('log', entry);
  }

  sendSkipped(count: number): void {
    this.#send('skipped', { count });
  }

  breakTails(): void {
    for (const tail of this.#tails) tail.destroy();
  }

  get openTails(): number {
    return this.#tails.size;
  }

  #send(name: string, data: object): void {
    const id = this.#sent.length + 1;
    const text = `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#sent.push({ id, text });
    for (const tail of this.#tails) tail.write(text);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/v1/')) {
      this.#sendFile(url.pathname, response);
      return;
    }
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    let body = '';
    request.on('data', (piece: Buffer) => {
      body += piece.toString();
    });
    request.on('end', () => this.#operation({ method: request.method ?? '', url, body, request, response }));
  }

  #sendFile(path: string, response: ServerResponse): void {
    const name = path === '/' ? 'index.html' : path.slice(1);
    try {
      const content = readFileSync(join(this.#page, name));
      response.writeHead(200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  #operation(call: Call): void {
    const { url, method, response, body } = call;
    const path = url.pathname.slice('/v1/'.length);
    if (path === 'session') {
      this.#session(call);
      return;
    }
    if (this.#token !== undefined && !this.#isSignedIn) {
      sendError(response, { status: 401, code: 'unauthorized', message: 'The request needs a token.' });
      return;
    }
    try {
      if (path === 'logs/tail') this.#tail(call);
      else if (path === 'expressions/check') sendJson(response, checked(body));
      else if (this.#isAnswered(call, path)) return;
      else if (method === 'GET') sendJson(response, this.#read(path, url.searchParams));
      else sendError(response, { status: 404, code: 'not-found', message: 'There is no such operation.' });
    } catch (error) {
      const problems = error instanceof MockRefusal ? error.problems : [];
      const { message } = error as Error;
      sendError(response, { status: 400, code: 'invalid-request', message, problems });
    }
  }

  /** Whether the operation is one of monitoring, or of the queue; then it has its answer. */
  #isAnswered({ method, body, response }: Call, path: string): boolean {
    const answer =
      this.monitoring.answer({ method, path, body }) ?? this.operations.answer(method, path, body);
    if (answer !== undefined) sendJson(response, answer);
    return answer !== undefined;
  }

  #session({ method, body, response }: Call): void {
    if (method === 'POST') {
      if ((JSON.parse(body) as { readonly token: string }).token !== this.#token) {
        sendError(response, { status: 401, code: 'unauthorized', message: 'The token is wrong.' });
        return;
      }
      this.#isSignedIn = true;
      response.writeHead(204, { 'set-cookie': 'session=1; HttpOnly; SameSite=Strict' }).end();
      return;
    }
    const signIn = this.#token === undefined ? 'none' : this.#isSignedIn ? 'done' : 'required';
    const access = this.#token === undefined ? 'machine' : 'token';
    sendJson(response, { version: '0.1.0', signIn, access, store: 'duckdb', now: new Date().toISOString() });
  }

  #read(path: string, query: URLSearchParams): object {
    const found = () => selected(this.#records, query, Date.now());
    if (path === 'logs') return page(found(), query);
    if (path === 'logs/histogram') return histogramOf(found(), query, Date.now());
    if (path === 'fields') return fieldsOf(found());
    if (path === 'logs/context') return this.#context(query);
    const [, stream = '', position = ''] = /^logs\/([^/]+)\/(\d+)$/.exec(path) ?? [];
    const entry = this.#records.find(
      (each) => each.stream === decodeURIComponent(stream) && each.position === Number(position),
    );
    if (entry === undefined) throw new Error('The store has no such record.');
    return {
      entry,
      raw: Buffer.from(JSON.stringify({ message: entry.body, ...entry.attributes })).toString('base64'),
      rawNote: '',
      format: 'json',
      explanation: [
        'The first bytes are a JSON object: the format is json.',
        'The field message is the body.',
      ],
    };
  }

  #context(query: URLSearchParams): object {
    const [position, limit] = [Number(query.get('position')), Number(query.get('limit'))];
    const ascending = selected(this.#records, query, Date.now()).toReversed();
    const older = ascending.filter((entry) => entry.position < position);
    const newer = ascending.filter((entry) => entry.position > position);
    if (query.get('direction') === 'before') {
      return { entries: older.slice(-limit), atStart: older.length <= limit, atEnd: false };
    }
    if (query.get('direction') === 'after') {
      return { entries: newer.slice(0, limit), atStart: false, atEnd: newer.length <= limit };
    }
    const half = Math.floor(limit / 2);
    const itself = ascending.filter((entry) => entry.position === position);
    return {
      entries: [...older.slice(-half), ...itself, ...newer.slice(0, half)],
      atStart: older.length <= half,
      atEnd: newer.length <= half,
    };
  }

  #tail({ request, response }: Call): void {
    const lastId = request.headers['last-event-id'];
    this.tailStarts.push(typeof lastId === 'string' ? lastId : undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write('retry: 2000\n\n');
    if (typeof lastId === 'string') {
      // The last one again, which the aggregator may do too.
      for (const { id, text } of this.#sent) if (id >= Number(lastId)) response.write(text);
    }
    this.#tails.add(response);
    response.on('close', () => this.#tails.delete(response));
  }
}

interface Call {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function page(found: readonly LogEntry[], query: URLSearchParams): object {
  const start = Number(query.get('cursor') ?? 0);
  const end = start + Number(query.get('limit') ?? 100);
  return { entries: found.slice(start, end), next: end < found.length ? String(end) : null };
}

/** Only the errors that the tests make. */
function checked(body: string): object {
  const { expression } = JSON.parse(body) as { readonly expression: string };
  const at = expression.search(/(?:==|>=)\s*$/);
  if (at === -1) return { valid: true, problems: [] };
  const problem = { message: 'expected a value', offset: expression.length, length: 1, nearest: [] };
  return { valid: false, problems: [problem] };
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

interface MockError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly problems?: MockRefusal['problems'];
}

function sendError(response: ServerResponse, { status, ...error }: MockError): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
