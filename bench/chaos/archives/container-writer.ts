import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Random } from '../../../testkit/random.ts';
import { numberedLine } from '../numbered-line.ts';
import { RotatingLog } from './rotating-log.ts';

const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];

/** The name of the numbered lines of a stream. */
export const CONTAINER_LOGS: Readonly<Record<Stream, string>> = { stdout: 'cristdout', stderr: 'cristderr' };
const MAX_PARTS = 4;
const MIN_BYTES = 4096;

/**
 * Writes a log as a container runtime does: the messages of stdout and stderr in partial lines (`P` ... `F`), interleaved,
 * in pieces that end anywhere. It is rotated and compressed as kubelet does it, when all messages are complete.
 */
export class ContainerWriter {
  readonly #log: RotatingLog;
  readonly #random: Random;
  readonly #numbers: Record<Stream, number> = { stdout: 0, stderr: 0 };
  /** The lines of each stream that are not written. */
  readonly #due: Record<Stream, string[]> = { stdout: [], stderr: [] };
  #unwritten = '';

  constructor(path: string, random: Random) {
    mkdirSync(dirname(path), { recursive: true });
    this.#log = new RotatingLog(path, { names: 'dated', ending: '.gz', isDelayed: true, isCopied: false });
    this.#random = random;
  }

  tick(): void {
    this.#log.continueCompressing();
    const text = this.#unwritten + this.#interleaved(this.#random.between(0, 12));
    const cut = this.#random.chance(0.4) ? this.#random.between(0, text.length + 1) : text.length;
    this.#log.append(text.slice(0, cut));
    this.#unwritten = text.slice(cut);
    if (!this.#random.chance(0.01) || this.#log.sizeBytes < MIN_BYTES) return;
    this.#complete();
    this.#log.rotate();
  }

  finish(): void {
    this.#complete();
    while (this.#log.continueCompressing());
  }

  get written(): readonly { readonly name: string; readonly lines: number }[] {
    return STREAMS.map((stream) => ({ name: CONTAINER_LOGS[stream], lines: this.#numbers[stream] }));
  }

  get rotations(): number {
    return this.#log.rotations;
  }

  get archives(): number {
    return this.#log.archives;
  }

  #complete(): void {
    let text = this.#unwritten;
    for (const stream of STREAMS) text += this.#due[stream].splice(0).join('');
    this.#log.append(text);
    this.#unwritten = '';
  }

  #interleaved(count: number): string {
    let text = '';
    for (let line = 0; line < count; line++) {
      const stream = this.#random.pick(STREAMS);
      if (this.#due[stream].length === 0) this.#due[stream] = this.#message(stream);
      text += this.#due[stream].shift() ?? '';
    }
    return text;
  }

  /** Each part has a number, because a line of the other stream between two parts ends a record. */
  #message(stream: Stream): string[] {
    const count = this.#random.between(1, MAX_PARTS + 1);
    return Array.from({ length: count }, (_, index) => {
      const text = numberedLine(CONTAINER_LOGS[stream], this.#numbers[stream]++);
      return `2026-01-01T10:00:00.000000000Z ${stream} ${index === count - 1 ? 'F' : 'P'} ${text}`;
    });
  }
}

/** The numbered parts of a message, which may be joined to one record. */
export function partsOfRecord(body: string): string[] {
  return body.split(/(?=crist(?:dout|derr) \d{9} )/);
}
