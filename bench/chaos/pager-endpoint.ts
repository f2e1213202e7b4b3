import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runCommand } from '../../testkit/running-process.ts';

/** The behaviours of the endpoint: normal, or one of several failures. */
export const PAGER_MOODS = ['accepts', 'fails', 'throttles', 'hangs', 'resets', 'not-json'] as const;
export type PagerMood = (typeof PAGER_MOODS)[number];

export interface PagerCounts {
  readonly requests: number;
  readonly triggers: number;
  readonly resolves: number;
  /** Events that PagerDuty would not have accepted. */
  readonly malformed: readonly string[];
}

const MAX_BODY_BYTES = 512 * 1024;

/** A stand-in for PagerDuty's Events API v2, over TLS with a certificate made for this run. */
export class PagerEndpoint {
  readonly certificatePath: string;
  readonly integrationKey = '0123456789abcdef0123456789abcdef';
  mood: PagerMood = 'accepts';
  readonly #server: Server;
  #requests = 0;
  #triggers = 0;
  #resolves = 0;
  #malformed: string[] = [];

  private constructor(server: Server, certificatePath: string) {
    this.#server = server;
    this.certificatePath = certificatePath;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  /** Throws if there is no openssl command. */
  static async start(directory: string): Promise<PagerEndpoint> {
    const key = join(directory, 'pager.key');
    const certificate = join(directory, 'pager.crt');
    await runCommand({
      name: 'openssl',
      command: 'openssl',
      args: [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=DNS:localhost'],
      ],
    });
    const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
    server.listen(0);
    await once(server, 'listening');
    return new PagerEndpoint(server, certificate);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get counts(): PagerCounts {
    return {
      requests: this.#requests,
      triggers: this.#triggers,
      resolves: this.#resolves,
      malformed: this.#malformed,
    };
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    this.#requests += 1;
    this.#inspect(request, body);
    const json = { 'content-type': 'application/json' };
    switch (this.mood) {
      case 'accepts':
        response.writeHead(202, json).end('{"status":"success","message":"Event processed","dedup_key":"k"}');
        break;
      case 'fails':
        response.writeHead(503, json).end('{"status":"error"}');
        break;
      case 'throttles':
        response.writeHead(429, { ...json, 'retry-after': '1' }).end('{"status":"throttle exceeded"}');
        break;
      case 'hangs':
        break;
      case 'resets':
        request.socket.destroy();
        break;
      case 'not-json':
        response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>');
        break;
    }
  }

  #inspect(request: IncomingMessage, body: string): void {
    const problem = problemOf(request, body, this.integrationKey);
    if (problem !== undefined) {
      this.#malformed.push(problem);
      return;
    }
    const { event_action: action } = JSON.parse(body) as { event_action: string };
    if (action === 'trigger') this.#triggers += 1;
    else this.#resolves += 1;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    body += chunk.toString();
    if (body.length > MAX_BODY_BYTES) break;
  }
  return body;
}

function problemOf({ method, url }: IncomingMessage, body: string, key: string): string | undefined {
  if (method !== 'POST' || url !== '/v2/enqueue') return `${method} ${url}`;
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return `not JSON: ${body.slice(0, 200)}`;
  }
  const { routing_key: routingKey, event_action: action, dedup_key: dedupKey } = event;
  if (routingKey !== key) return 'another routing_key';
  if (typeof dedupKey !== 'string' || dedupKey.length > 255) return `dedup_key: ${String(dedupKey)}`;
  if (action === 'resolve') return undefined;
  if (action !== 'trigger') return `event_action: ${String(action)}`;
  const { summary, source, severity } = (event.payload ?? {}) as Record<string, unknown>;
  const complete = [summary, source, severity].every((text) => typeof text === 'string' && text !== '');
  return complete ? undefined : `payload: ${JSON.stringify(event.payload)}`;
}
