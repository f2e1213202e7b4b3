import { readFile, rename, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Tailing } from './tailing.ts';

/** Mulberry32: small, and the same on every machine. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const STEPS = 40;
const FILES = ['alpha', 'beta'];
const firstSeed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const rounds = Number(process.env.ROUNDS ?? 12);

/** A writer that rotates in every way, and keeps a list of its lines. */
class Writer {
  readonly written = new Map<string, string>();
  readonly #tail: Tailing;
  readonly #random: (below: number) => number;
  readonly #generations = new Map<string, number>();
  #line = 0;

  constructor(tail: Tailing, random: (below: number) => number) {
    this.#tail = tail;
    this.#random = random;
  }

  async append(file: string): Promise<void> {
    let text = '';
    for (let lines = 1 + this.#random(40); lines > 0; lines--) {
      text += `${file} ${this.#line++} ${'.'.repeat(64 + this.#random(60))}\n`;
    }
    // Sometimes the end of a line is part of the next write.
    const cut = this.#random(4) === 0 ? text.length - 1 - this.#random(20) : text.length;
    await this.#tail.append(`${file}.log`, text.slice(0, cut));
    if (cut < text.length) {
      if (this.#random(2) === 0) await this.#tail.turn();
      await this.#tail.append(`${file}.log`, text.slice(cut));
    }
    this.written.set(file, (this.written.get(file) ?? '') + text);
  }

  async rename(file: string): Promise<void> {
    if (!(await this.#shift(file))) return;
    await rename(this.#path(file), this.#path(file, 1));
    if (this.#random(2) === 0) await this.append(file);
  }

  async copytruncate(file: string, isRunning: boolean): Promise<void> {
    if (!(await this.#shift(file))) return;
    const bytes = await readFile(this.#path(file));
    if (this.#random(2) === 0 && bytes.length > 200) {
      await writeFile(this.#path(file, 1), bytes.subarray(0, 64 + this.#random(bytes.length - 64)));
      if (isRunning) await this.#tail.turn();
    }
    await writeFile(this.#path(file, 1), bytes);
    if (isRunning && this.#random(2) === 0) await this.#tail.turn();
    if (isRunning && this.#random(4) === 0) {
      await this.#tail.kill();
      await this.#tail.start();
    }
    await truncate(this.#path(file));
    if (this.#random(2) === 0) await this.append(file);
  }

  async delete(file: string): Promise<void> {
    // Bytes that are not read by then would be lost if the source stopped.
    await drain(this.#tail);
    await unlink(this.#path(file)).catch(() => undefined);
  }

  /** Renames the old generations so that `.1` is free; false when there is no file, or it is empty. */
  async #shift(file: string): Promise<boolean> {
    const { size } = await stat(this.#path(file)).catch(() => ({ size: 0 }));
    if (size === 0) return false;
    const generations = this.#generations.get(file) ?? 0;
    for (let n = generations; n > 0; n--) await rename(this.#path(file, n), this.#path(file, n + 1));
    this.#generations.set(file, generations + 1);
    return true;
  }

  #path(file: string, generation?: number): string {
    return this.#tail.path(generation === undefined ? `${file}.log` : `${file}.log.${generation}`);
  }
}

async function drain(tail: Tailing): Promise<void> {
  tail.sink.paused = false;
  tail.sink.accepting = true;
  tail.sink.acceptAll();
  await tail.turn();
  for (let i = 0; i < 60 && tail.source.status().waitingBytes > 0; i++) {
    await tail.pass(1_000);
    tail.sink.acceptAll();
  }
}

const trace = process.env.TRACE === undefined ? () => undefined : console.log;

async function round(seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const openFiles = [0, 2, 1000][random(3)] ?? 0;
  const bufferBytes = [700, 4_000, 1_048_576][random(3)] ?? 700;
  const tail = await Tailing.start({ bufferBytes, limits: { openFiles } });
  const writer = new Writer(tail, random);
  let isRunning = true;
  for (let step = 0; step < STEPS; step++) {
    const file = FILES[random(FILES.length)] ?? 'alpha';
    const action = random(isRunning ? 12 : 6);
    trace(step, file, action, isRunning);
    switch (action) {
      case 0:
        await writer.rename(file);
        break;
      case 1:
        await writer.copytruncate(file, isRunning);
        break;
      case 2:
        if (!isRunning) await tail.start();
        else if (random(2) === 0) await tail.kill();
        else await tail.stop();
        isRunning = !isRunning;
        break;
      case 6:
        await writer.delete(file);
        break;
      case 7:
        tail.sink.paused = !tail.sink.paused;
        break;
      case 8:
        tail.sink.accepting = !tail.sink.accepting;
        if (tail.sink.accepting) tail.sink.acceptAll();
        break;
      case 9:
        await tail.sink.reconnect();
        break;
      case 10:
        await tail.pass(1 + random(2_500));
        break;
      default:
        await writer.append(file);
    }
    if (isRunning && random(2) === 0) await tail.turn();
  }
  if (!isRunning) await tail.start();
  await drain(tail);
  await tail.pass(3_000);
  for (const { level: _level, time: _time, pid: _pid, hostname: _hostname, ...line } of tail.log)
    trace(JSON.stringify(line));
  for (const file of FILES) {
    const lines = tail.taken
      .text()
      .split(/(?<=\n)/)
      .filter((line) => line.startsWith(`${file} `));
    expect(lines.join(''), `SEED=${seed} ${file}`).toBe(writer.written.get(file) ?? '');
  }
  const all = [...writer.written.values()].reduce((sum, text) => sum + text.length, 0);
  expect(tail.taken.text().length, `SEED=${seed}`).toBe(all);
  await tail.stop();
}

describe(`random rotations (SEED=${firstSeed} ROUNDS=${rounds})`, () => {
  it.each(Array.from({ length: rounds }, (_, index) => firstSeed + index))(
    'lose no line, repeat no line, and keep the order: SEED=%i',
    async (seed) => {
      await round(seed);
    },
    60_000,
  );
});
