/**
 * Sends numbered syslog messages to a port of this machine, as fast as they are read or at a rate:
 *
 *     node load-generator.js '{"transport": "relp", "port": 2514, "senders": 1, "messages": 100000, "window": 128}'
 *
 * Prints one line of JSON (Load). RELP: the time ends with the last answer.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelpClientSession } from '../../src/protocols/relp/client-session.ts';
import { benchMessage, numberedLines } from './bench-message.ts';

export interface LoadPlan {
  readonly transport: 'tcp' | 'relp' | 'udp';
  readonly port: number;
  /** Connections, or UDP sockets. */
  readonly senders: number;
  /** Of all senders. */
  readonly messages: number;
  /** RELP only. */
  readonly window?: number;
  /** Of all senders. Absent: no limit. */
  readonly perSecond?: number;
}

export interface Load {
  readonly messages: number;
  readonly seconds: number;
}

const HOST = '127.0.0.1';
/** Messages of one write of a connection without a rate. */
const RUN = 256;
const TICK_MS = 5;

const plan = JSON.parse(process.argv[2] ?? '') as LoadPlan;
const started = performance.now();
if (plan.transport === 'udp') await sendDatagrams(plan);
else if (plan.transport === 'relp') await sendOverRelp(plan);
else await sendLines(plan);
const load: Load = { messages: plan.messages, seconds: (performance.now() - started) / 1000 };
process.stdout.write(`${JSON.stringify(load)}\n`);

async function connections({ port, senders }: LoadPlan): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let each = 0; each < senders; each++) {
    const socket = connect(port, HOST);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return sockets;
}

async function sendLines(wanted: LoadPlan): Promise<void> {
  const sockets = await connections(wanted);
  const { messages, perSecond } = wanted;
  const run = perSecond === undefined ? RUN : 1;
  let sent = 0;
  for await (const due of dueMessages(wanted)) {
    while (sent < due) {
      const socket = sockets[Math.floor(sent / run) % sockets.length];
      const count = Math.min(run, due - sent);
      const lines = numberedLines(sent, count);
      sent += count;
      if (socket?.write(lines) === false) await once(socket, 'drain');
    }
    if (sent >= messages) break;
  }
  for (const socket of sockets) socket.end();
  await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
}

async function sendOverRelp(wanted: LoadPlan): Promise<void> {
  const sockets = await connections(wanted);
  const share = Math.ceil(wanted.messages / sockets.length);
  await Promise.all(
    sockets.map((socket, index) => {
      const first = index * share;
      return relpSession(socket, first, Math.min(share, wanted.messages - first), wanted.window);
    }),
  );
}

function relpSession(socket: Socket, first: number, messages: number, window = 128): Promise<void> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    const session = new RelpClientSession(
      {
        opened: () => {},
        ended: () => {},
        answered: () => {
          answered++;
        },
      },
      { softwareVersion: 'bench', window },
    );
    const fill = () => {
      const frames: Buffer[] = [];
      while (session.canSend && session.sent < messages)
        frames.push(session.message(Buffer.from(benchMessage(first + session.sent))));
      if (frames.length > 0) socket.write(Buffer.concat(frames));
      if (answered < messages) return;
      socket.destroy();
      resolve();
    };
    socket.on('error', reject);
    socket.on('close', () =>
      answered < messages ? reject(new Error('the connection was closed')) : undefined,
    );
    socket.on('data', (chunk) => {
      const fault = session.push(chunk);
      if (fault !== undefined) reject(new Error(fault.reason));
      else fill();
    });
    socket.write(session.open());
  });
}

async function sendDatagrams(wanted: LoadPlan): Promise<void> {
  const sockets: UdpSocket[] = [];
  for (let each = 0; each < wanted.senders; each++) {
    const socket = createSocket('udp4');
    socket.connect(wanted.port, HOST);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  let sent = 0;
  let confirmed = 0;
  for await (const due of dueMessages(wanted)) {
    for (; sent < due; sent++)
      sockets[sent % sockets.length]?.send(benchMessage(sent), () => {
        confirmed++;
      });
    if (sent >= wanted.messages) break;
  }
  while (confirmed < sent) await sleep(1);
  for (const socket of sockets) socket.close();
}

/** The number of messages that must be sent by now. */
async function* dueMessages({ messages, perSecond }: LoadPlan): AsyncGenerator<number> {
  if (perSecond === undefined) yield messages;
  else
    for (const begin = performance.now(); ; await sleep(TICK_MS))
      yield Math.min(messages, Math.floor(((performance.now() - begin) / 1000) * perSecond));
}
