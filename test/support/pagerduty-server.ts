import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';

export interface ReceivedEvent {
  readonly routing_key: string;
  readonly event_action: string;
  readonly dedup_key: string;
  readonly payload?: {
    readonly summary: string;
    readonly source: string;
    readonly severity: string;
    readonly custom_details: { readonly [key: string]: unknown };
  };
}

export type Answering = (response: ServerResponse, request: IncomingMessage, event: ReceivedEvent) => void;

/** PagerDuty's events endpoint on localhost, over TLS with a certificate of an authority of its own. */
export class PagerDutyServer {
  readonly events: ReceivedEvent[] = [];
  readonly paths: string[] = [];
  /** How the next requests are answered. */
  answer: Answering = accepted;
  readonly #server: Server;
  readonly certificate: string;

  private constructor(server: Server, certificate: string) {
    this.#server = server;
    this.certificate = certificate;
  }

  static async create(): Promise<PagerDutyServer> {
    const authority = await CertificateAuthority.create();
    const { certificate, key } = await authority.issue({ name: 'localhost' });
    const server = createServer({ cert: certificate, key });
    const endpoint = new PagerDutyServer(server, authority.certificate);
    server.on('request', (request, response) => endpoint.#receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return endpoint;
  }

  /** `localhost:PORT` */
  get address(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get actions(): string[] {
    return this.events.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key}`);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as ReceivedEvent;
      this.events.push(event);
      this.paths.push(request.url ?? '');
      this.answer(response, request, event);
    });
  }
}

export function accepted(response: ServerResponse): void {
  const body = { status: 'success', message: 'Event processed' };
  response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function answering(status: number, body: string, headers: Record<string, string> = {}): Answering {
  return (response) => response.writeHead(status, headers).end(body);
}
