import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Cancel } from '../../../runtime/clock.ts';
import { packageRoot } from '../../../runtime/package-root.ts';
import { KernelDrops } from './kernel-drops.ts';
import { countedClients, type ListenerActivity } from './listener-activity.ts';
import { dropRecord } from './loss-record.ts';
import { contains, peerAddress } from './peer-address.ts';
import { PeerAttributes } from './peer-attributes.ts';
import type { SyslogListener, SyslogListenerOptions } from './syslog-listener.ts';
import type { FromUdpThread, ToUdpThread, UdpBatch, UdpThreadData } from './udp-messages.ts';

const THREAD = import.meta.url.endsWith('.ts')
  ? new URL('./udp-thread.ts', import.meta.url)
  : join(packageRoot(), 'dist/collector/sources/syslog/udp-thread.js');
const DROPS_EVERY_MS = 1000;
const RESTART_AFTER_MS = 1000;
const MAX_PEERS = 8192;

type Peer = PeerAttributes | 'not allowed';

interface Appended {
  readonly records: number;
  readonly rejected: number;
}

/**
 * Listens for UDP: the socket is in a thread of its own, which hands over batches of messages. UDP has no
 * back-pressure: a message without room is dropped, and each loss is counted and reported in the stream, those of
 * the kernel as well.
 */
export class UdpListener implements SyslogListener {
  readonly #options: SyslogListenerOptions;
  #peers = new Map<string, Peer>();
  #worker: Worker | undefined;
  #cancelDrops: Cancel = () => {};
  #drops: KernelDrops | undefined;
  /** Dropped, and not reported in the stream yet. */
  readonly #unreported = { kernel: 0, thread: 0 };
  readonly #dropped = { kernel: 0, thread: 0 };
  #isClosing = false;
  #whenClosed: () => void = () => {};

  constructor(options: SyslogListenerOptions) {
    this.#options = options;
  }

  async open(): Promise<string> {
    const { configuration, threadArguments } = this.#options;
    const { listen, receiveBufferBytes } = configuration;
    if ('path' in listen) throw new Error('Cannot listen for UDP at a path');
    const place = 'address' in listen ? listen.address : { fd: this.#options.fd ?? -1 };
    const data: UdpThreadData = { ...place, receiveBufferBytes };
    const worker = new Worker(THREAD, {
      workerData: data,
      ...(threadArguments && { execArgv: [...threadArguments] }),
    });
    const opened = await new Promise<Extract<FromUdpThread, { kind: 'listening' }>>((resolve, reject) => {
      worker.on('message', (message: FromUdpThread) => {
        if (message.kind === 'listening') resolve(message);
        else if (message.kind === 'failed') reject(new Error(message.reason));
        else this.#receive(message);
      });
      worker.on('error', reject);
      worker.once('exit', (code) => this.#exited(worker, code));
    });
    this.#worker = worker;
    this.#reportBuffer(opened.receiveBufferBytes);
    this.#drops = await KernelDrops.ofPort(opened.port, isIPv6(opened.address));
    this.#watchDrops();
    return isIPv6(opened.address) ? `[${opened.address}]:${opened.port}` : `${opened.address}:${opened.port}`;
  }

  async close(_deadline: AbortSignal): Promise<void> {
    this.#isClosing = true;
    this.#cancelDrops();
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#takeDrops();
    const closed = new Promise<void>((resolve) => {
      this.#whenClosed = resolve;
    });
    worker.postMessage({ kind: 'close' } satisfies ToUdpThread);
    await closed;
    this.#reportDrops();
    this.#worker = undefined;
  }

  activity(): ListenerActivity {
    const allowed = [...this.#peers].filter(([, peer]) => peer !== 'not allowed');
    const addresses = allowed.map(([key]) => key.slice(0, key.indexOf(' ')));
    return {
      clients: countedClients(addresses.map((each) => peerAddress(each) ?? each)),
      dropped: this.#dropped,
    };
  }

  #receive(message: Exclude<FromUdpThread, { kind: 'listening' | 'failed' }>): void {
    if (message.kind === 'batch') this.#append(message);
  }

  #append(batch: UdpBatch): void {
    const { data, addresses, dropped } = batch;
    const { events, listener } = this.#options;
    const peers = addresses.map(({ address, port }) => this.#peer(address, port));
    const { records, rejected } = this.#appendWhole(batch, peers) ?? this.#appendEach(batch, peers);
    this.#worker?.postMessage({ kind: 'processed', bytes: data.length } satisfies ToUdpThread);
    if (records > 0) events.received({ listener, records, bytes: data.length - records });
    if (rejected > 0) events.notAllowed({ listener, peer: addresses[0]?.address ?? '', messages: rejected });
    if (dropped === 0) return;
    events.threadDropped({ listener, messages: dropped });
    this.#unreported.thread += dropped;
    this.#dropped.thread += dropped;
    this.#reportDrops();
  }

  /** undefined: some messages need a decision, or there is no room for all of them. Nothing was appended. */
  #appendWhole({ data, sizes, senders }: UdpBatch, peers: readonly Peer[]): Appended | undefined {
    const { channel, configuration } = this.#options;
    const { messageBytes } = configuration;
    const resources = peers.flatMap((peer) => (peer instanceof PeerAttributes ? [peer.plain] : []));
    if (channel.appendRun === undefined || resources.length < peers.length) return undefined;
    if (sizes.some((size) => size - 1 > messageBytes)) return undefined;
    const appended = channel.appendRun({ data, sizes, peers: resources, recordPeers: senders });
    return appended === 'full' ? undefined : { records: sizes.length, rejected: 0 };
  }

  #appendEach({ data, sizes, senders }: UdpBatch, peers: readonly Peer[]): Appended {
    let records = 0;
    let rejected = 0;
    let offset = 0;
    for (const [index, size] of sizes.entries()) {
      const peer = peers[senders[index] ?? 0];
      if (peer instanceof PeerAttributes) {
        records++;
        this.#appendMessage(data.subarray(offset, offset + size), peer);
      } else rejected++;
      offset += size;
    }
    return { records, rejected };
  }

  #appendMessage(line: Uint8Array, peer: PeerAttributes): void {
    const { channel, events, listener, configuration } = this.#options;
    const { messageBytes } = configuration;
    const isTruncated = line.length - 1 > messageBytes;
    const appended = isTruncated
      ? channel.append(line.subarray(0, messageBytes), peer.with({ truncatedFrom: line.length - 1 }))
      : channel.appendLine(line, peer.plain);
    if (isTruncated) events.truncated({ listener });
    if (appended === 'full') channel.drop(line.length);
  }

  #peer(address: string, port: number): Peer {
    const key = `${address} ${port}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      // Senders may use a new port for each message.
      if (this.#peers.size >= MAX_PEERS) this.#peers = new Map();
      peer = this.#newPeer(peerAddress(address) ?? address, port);
      this.#peers.set(key, peer);
    }
    return peer;
  }

  #newPeer(address: string, port: number): Peer {
    const { allow, zones } = this.#options.configuration;
    if (allow !== undefined && !contains(allow, address)) return 'not allowed';
    return new PeerAttributes({ transport: 'udp', address, port, zones });
  }

  #reportBuffer(bytes: number): void {
    const { configuration, events, listener } = this.#options;
    const wanted = configuration.receiveBufferBytes;
    if (bytes < wanted) events.smallReceiveBuffer({ listener, bytes, wanted });
  }

  #watchDrops(): void {
    this.#cancelDrops = this.#options.clock.after(DROPS_EVERY_MS, () => {
      void this.#takeDrops().then(() => {
        if (!this.#isClosing) this.#watchDrops();
      });
    });
  }

  async #takeDrops(): Promise<void> {
    const { events, listener } = this.#options;
    const messages = (await this.#drops?.taken()) ?? 0;
    if (messages > 0) events.kernelDropped({ listener, messages });
    this.#unreported.kernel += messages;
    this.#dropped.kernel += messages;
    this.#reportDrops();
  }

  /** One record for each cause. Without room it is tried again later. */
  #reportDrops(): void {
    const { channel, clock } = this.#options;
    const nowMs = Number(clock.nowUnixNano() / 1_000_000n);
    for (const cause of ['kernel', 'thread'] as const) {
      const messages = this.#unreported[cause];
      if (messages > 0 && channel.appendLine(dropRecord(cause, messages, nowMs)) !== 'full')
        this.#unreported[cause] = 0;
    }
  }

  #exited(worker: Worker, code: number): void {
    this.#whenClosed();
    if (this.#worker !== worker || this.#isClosing) return;
    this.#worker = undefined;
    this.#cancelDrops();
    this.#restart(`ended with code ${code}`);
  }

  #restart(reason: string): void {
    const { events, listener, clock } = this.#options;
    if (this.#isClosing) return;
    events.threadFailed({ listener, reason });
    this.#cancelDrops = clock.after(RESTART_AFTER_MS, () => {
      this.open().catch((error: Error) => this.#restart(error.message));
    });
  }
}
