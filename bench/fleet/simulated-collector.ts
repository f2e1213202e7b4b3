import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { checkOf } from '../../src/records/check.ts';
import { decodeResponse, encodeBatchRequest, encodeRequest } from '../../src/records/publish-codec.ts';
import { NO_MARKS } from '../../src/records/record-batch.ts';
import { mintStreamId, type StreamId, streamIdToBytes } from '../../src/records/stream-id.ts';

export interface SimulatedCollectorOptions {
  /** `127.0.0.1:8000` */
  readonly address: string;
  /** Own address, so that the limit of connections for each address is not reached. */
  readonly localAddress: string;
  readonly collectorId: Buffer;
  readonly streams: number;
  /** The records of each batch. */
  readonly lines: readonly string[];
  /** All streams are open on a connection. */
  readonly onServed: () => void;
  readonly onAccepted: (batches: number) => void;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const FRAME_HEAD_BYTES = 5;

/**
 * The protocol of a collector, without files: it connects, opens its streams, sends small batches, and connects again with
 * the pauses of the product when the connection ends. It uses HTTP/2 directly, so that one process can be thousands.
 */
export class SimulatedCollector {
  readonly #options: SimulatedCollectorOptions;
  readonly #streams: { readonly id: StreamId; end: number; isOpen: boolean }[];
  readonly #instance = BigInt(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
  #session: ClientHttp2Session | undefined;
  #call: ClientHttp2Stream | undefined;
  #received = Buffer.alloc(0);
  #opened = 0;
  #sequence = 0;
  #failures = 0;
  #isStopped = false;
  #next = 0;

  constructor(options: SimulatedCollectorOptions) {
    this.#options = options;
    this.#streams = Array.from({ length: options.streams }, () => ({
      id: mintStreamId(),
      end: 0,
      isOpen: false,
    }));
  }

  connect(): void {
    if (this.#isStopped) return;
    const { address, localAddress } = this.#options;
    const [host = '', port = ''] = address.split(':');
    const session = connect(`http://${address}`, {
      createConnection: () => connectSocket({ host, port: Number(port), localAddress }),
    });
    this.#session = session;
    let hasEnded = false;
    const ended = () => {
      if (hasEnded) return;
      hasEnded = true;
      session.destroy();
      this.#connectLater();
    };
    session.on('error', ended);
    session.on('close', ended);
    session.on('goaway', ended);
    this.#call = this.#publish(session, ended);
  }

  /** Sends a batch of the next stream. False: the collector is not connected. */
  sendBatch(): boolean {
    const stream = this.#streams[this.#next++ % this.#streams.length];
    if (stream === undefined || !stream.isOpen || this.#call === undefined) return false;
    const data = Buffer.from(this.#options.lines.join(''));
    const batch = {
      ...{ stream: stream.id, start: stream.end, resource: RESOURCE, format: 'plain', marks: NO_MARKS, data },
      observedTimeUnixNano: BigInt(Date.now()) * 1_000_000n,
      sizes: Uint32Array.from(this.#options.lines, (line) => Buffer.byteLength(line)),
    };
    stream.end += data.length;
    const encoded = { compression: 'none', bytes: data } as const;
    this.#send(
      encodeBatchRequest({ sequence: ++this.#sequence, endCheck: checkOf(data), batch, data: encoded }),
    );
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    this.#session?.destroy();
  }

  #publish(session: ClientHttp2Session, ended: () => void): ClientHttp2Stream {
    const call = session.request({
      ':method': 'POST',
      ':path': '/megacollector.v1.Aggregator/Publish',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#received = Buffer.alloc(0);
    this.#opened = 0;
    this.#sequence = 0;
    for (const stream of this.#streams) stream.isOpen = false;
    call.on('error', ended);
    call.on('close', ended);
    call.on('data', (chunk: Buffer) => this.#receive(chunk));
    const { collectorId } = this.#options;
    const value = {
      collectorId,
      instance: this.#instance,
      protocolVersion: 1,
      software: 'fleet',
      host: 'fleet',
    };
    this.#call = call;
    this.#send(encodeRequest({ message: { $case: 'hello', value } }));
    for (const { id, end } of this.#streams)
      this.#send(
        encodeRequest({
          message: { $case: 'openStream', value: { stream: streamIdToBytes(id), accepted: BigInt(end) } },
        }),
      );
    return call;
  }

  #send(message: Buffer): void {
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32BE(message.length, 1);
    this.#call?.write(Buffer.concat([head, message]));
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= FRAME_HEAD_BYTES) {
      const end = FRAME_HEAD_BYTES + bytes.readUInt32BE(1);
      if (bytes.length < end) break;
      this.#answer(bytes.subarray(FRAME_HEAD_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#received = Buffer.from(bytes);
  }

  #answer(bytes: Buffer): void {
    const { message } = decodeResponse(bytes);
    if (message?.$case === 'accepted') this.#options.onAccepted(message.value.sequences.length);
    if (message?.$case !== 'streamOpened') return;
    const id = Buffer.from(message.value.stream).toString('hex');
    const stream = this.#streams.find((each) => each.id === id);
    if (stream === undefined || message.value.refusal !== '') return;
    stream.isOpen = true;
    // Bytes that a killed aggregator had not accepted are sent again by a collector; here they are new ones.
    stream.end = Number(message.value.end);
    if (++this.#opened !== this.#streams.length) return;
    this.#failures = 0;
    this.#options.onServed();
  }

  #connectLater(): void {
    this.#call = undefined;
    const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(++this.#failures, 10));
    setTimeout(() => this.connect(), SHORTEST_PAUSE_MS + Math.random() * (longest - SHORTEST_PAUSE_MS));
  }
}

const RESOURCE = new Map([
  ['host.name', 'fleet'],
  ['log.file.path', '/var/log/app.log'],
]);
