import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { Random } from '../../../storage/random.ts';
import { Tailing } from './tailing.ts';

const trace = process.env.TRACE === undefined ? () => undefined : console.log;
const STEPS = Number(process.env.STEPS ?? 40);
const NAMES = ['alpha.log', 'beta.log', 'gamma.log', 'link.log'];
/** The same seeds each time: some coincidences of equal bytes cannot be distinguished (see docs/guarantees.md). */
const firstSeed = Number(process.env.SEED ?? 1);
const rounds = Number(process.env.ROUNDS ?? 12);

/** More than the first KiB, which is compared at the beginning of a file; and more than the 64 bytes of a check. */
const OPENING = Array.from(
  { length: 20 },
  (_, n) => `== line ${n} of an opening that is always the same, ==\n`,
);
const CLOSING = `${'-'.repeat(80)}\n`;

/** Every line that was written, how often it must arrive, and which ones may arrive more often. */
class Account {
  readonly #wanted = new Map<string, number>();
  readonly #mayRepeat = new Set<string>();

  wrote(text: string): void {
    for (const line of linesOf(text)) this.#wanted.set(line, (this.#wanted.get(line) ?? 0) + 1);
  }

  /** Its lines may be sent again or not: both are correct. */
  mayRepeat(text: string): void {
    for (const line of linesOf(text)) this.#mayRepeat.add(line);
  }

  /** Its lines may be sent once more. */
  mayCome(text: string): void {
    for (const line of linesOf(text)) this.#wanted.set(line, this.#wanted.get(line) ?? 0);
    this.mayRepeat(text);
  }

  allMayRepeat(): void {
    for (const line of this.#wanted.keys()) this.#mayRepeat.add(line);
  }

  differences(text: string): { missing: string[]; tooMany: string[] } {
    const found = counted(text);
    const missing: string[] = [];
    const tooMany: string[] = [];
    for (const [line, count] of this.#wanted) {
      const arrived = found.get(line) ?? 0;
      if (arrived < count) missing.push(`${arrived} of ${count}: ${line.trim()}`);
      if (arrived > count && !this.#mayRepeat.has(line))
        tooMany.push(`${arrived} of ${count}: ${line.trim()}`);
    }
    for (const line of found.keys())
      if (!this.#wanted.has(line)) tooMany.push(`never written: ${line.trim()}`);
    return { missing, tooMany };
  }
}

function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== '');
}

/** The equal lines at the beginning of both. */
function sharedLines(a: string, b: string): string {
  const [ofA, ofB] = [linesOf(a), linesOf(b)];
  const end = ofB.findIndex((line, index) => line !== ofA[index]);
  return (end < 0 ? ofB : ofB.slice(0, end)).join('');
}

function counted(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of linesOf(text)) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Programs and operators that change files in every permitted way, at any moment. */
class Operators {
  readonly account = new Account();
  readonly #tail: Tailing;
  readonly #random: Random;
  #line = 0;
  #names = 0;
  #snapshot: { key: string; value: FileCheckpoint }[] = [];
  isRunning = true;

  constructor(tail: Tailing, random: Random) {
    this.#tail = tail;
    this.#random = random;
  }

  readonly actions: readonly ((name: string) => Promise<void> | void)[] = [
    (name) => this.append(name),
    (name) => this.append(name),
    (name) => this.append(name),
    (name) => this.renameAway(name),
    (name) => this.renameAndRecreate(name),
    (name) => this.copyTruncate(name),
    (name) => this.backUp(name),
    (name) => this.copyToUnrelatedName(name),
    (name) => this.hardLink(name),
    (name) => this.linkAndUnlink(name),
    (name) => this.rewrite(name),
    (name) => this.deleteAndRecreate(name),
    (name) => this.replaceAtOnce(name),
    (name) => this.overwriteEnd(name),
    () => this.stopOrStart(),
    () => this.stopOrStart(),
    () => this.takeSnapshot(),
    () => this.restoreSnapshot(),
    () => this.#ifRunning(() => this.#tail.pass(this.#random.integer(1, 3_000))),
    () => this.#ifRunning(() => this.#tail.sink.reconnect()),
    () => this.#ifRunning(() => this.toggle()),
  ];

  append(name: string): void {
    const path = this.#tail.path(name);
    const text = this.#text(!existsSync(path));
    appendFileSync(path, text);
    this.account.wrote(text);
  }

  async renameAway(name: string): Promise<void> {
    if (!this.#has(name)) return;
    await this.#makeKnown(name);
    renameSync(this.#real(name), this.#rotatedName(name));
  }

  async renameAndRecreate(name: string): Promise<void> {
    if (!this.#has(name)) return;
    await this.#makeKnown(name);
    const real = this.#real(name);
    renameSync(real, this.#rotatedName(name));
    const text = this.#text(true);
    writeFileSync(real, text);
    this.account.wrote(text);
  }

  /** With or without the times of the original. */
  async copyTruncate(name: string): Promise<void> {
    if (!this.#has(name, 64)) return;
    // No pattern matches the copy of a target: bytes that were not read before are lost.
    if (this.#isLink(name)) await this.drain();
    const copy = this.#rotatedName(name);
    // The stream continues in one of two copies of a truncated file, and the other one is read.
    if (this.#hasBackup(this.#real(name))) this.account.mayRepeat(readFileSync(this.#real(name), 'latin1'));
    this.#copy(this.#real(name), copy);
    if (this.isRunning && this.#random.chance(0.4)) await this.#tail.turn();
    truncateSync(this.#real(name));
    if (this.#random.chance(0.5)) this.append(name);
  }

  async backUp(name: string): Promise<void> {
    if (!this.#has(name, 64)) return;
    const suffix = this.#random.pick(['.bak', '.1', '~', '-20261120', '.old']);
    const path = `${this.#real(name)}${suffix}`;
    if (existsSync(path)) return;
    this.#copy(this.#real(name), path);
    // If the original is renamed before a scan has found both, neither has the name of a copy of the other.
    if (this.isRunning) await this.#tail.turn();
    else this.account.mayRepeat(readFileSync(path, 'latin1'));
  }

  /** Another program writes the same lines: they are its own. */
  copyToUnrelatedName(name: string): void {
    if (!this.#has(name)) return;
    const path = this.#tail.path(`${this.#random.pick(['copy', 'other'])}${++this.#names}.txt`);
    this.#copy(this.#real(name), path);
    this.account.wrote(readFileSync(path, 'latin1'));
  }

  hardLink(name: string): void {
    if (!this.#has(name)) return;
    linkSync(this.#real(name), this.#tail.path(`hard${++this.#names}.txt`));
  }

  /** As old rotation programs do. */
  async linkAndUnlink(name: string): Promise<void> {
    if (!this.#has(name)) return;
    await this.#makeKnown(name);
    linkSync(this.#real(name), this.#rotatedName(name));
    unlinkSync(this.#real(name));
    if (this.#random.chance(0.5)) this.append(name);
  }

  /** Other bytes in place of those that were read: fewer, as many, or more; with an equal beginning or an equal end. */
  async rewrite(name: string): Promise<void> {
    if (!this.#has(name)) return;
    await this.drain();
    const path = this.#real(name);
    const { size } = statSync(path);
    const kind = this.#random.pick(['shorter', 'equal', 'longer']);
    const opening = this.#random.pick([OPENING.join(''), '']);
    // The guarantees leave out an equal beginning together with an equal end.
    const closing = opening === '' ? this.#random.pick([CLOSING, '']) : '';
    const wanted = { shorter: Math.floor(size / 2), equal: size, longer: size * 2 }[kind] ?? size;
    const text = opening + this.#body(Math.max(40, wanted - opening.length - closing.length)) + closing;
    // The equal beginning counts as read, if no scan was made during the rewrite.
    const equal = sharedLines(readFileSync(path, 'latin1'), text);
    writeFileSync(path, text);
    this.account.wrote(text.slice(equal.length));
    this.account.mayCome(equal);
  }

  /** The inode is often used again at once. */
  async deleteAndRecreate(name: string): Promise<void> {
    if (!this.#has(name)) return;
    await this.drain();
    const path = this.#real(name);
    const before = readFileSync(path, 'latin1');
    unlinkSync(path);
    const isSeen = this.isRunning && this.#random.chance(0.5);
    if (isSeen) await this.#tail.turn();
    const isEqual = isSeen && this.#random.chance(0.5);
    const text = isEqual ? before : this.#text(true);
    writeFileSync(path, text);
    this.account.wrote(text);
    // When it is rotated before a scan, it cannot be distinguished from a copy of the deleted file.
    if (isEqual) await this.drain();
  }

  /** As editors do: the new file begins with the bytes of the old one, or is another. */
  async replaceAtOnce(name: string): Promise<void> {
    if (!this.#has(name, 64)) return;
    await this.drain();
    const path = this.#real(name);
    const before = readFileSync(path, 'latin1');
    const text = this.#text(true);
    const isGrown = this.#random.chance(0.5);
    // If a hard link keeps the old file, there are two files with these bytes.
    if (statSync(path).nlink > 1) this.account.mayRepeat(before);
    // A backup with a rotated name has the bytes of the deleted file too: the stream may continue there.
    if (this.#hasBackup(path)) this.account.mayRepeat(before);
    writeFileSync(join(this.#tail.logs, '.new'), isGrown ? before + text : text);
    renameSync(join(this.#tail.logs, '.new'), path);
    this.account.wrote(text);
  }

  /** As a program does that writes a closing tag after each event. */
  async overwriteEnd(name: string): Promise<void> {
    if (!this.#has(name, 200)) return;
    await this.drain();
    const path = this.#real(name);
    const before = readFileSync(path, 'latin1');
    const lines = linesOf(before);
    const kept = lines.slice(0, -1).join('');
    const text = this.#text(false) + this.#text(false) + CLOSING + CLOSING;
    if (kept.length + text.length <= before.length) return;
    this.account.wrote(text);
    this.account.mayRepeat(before + text);
    const bytes = Buffer.from(text);
    const file = readFileSync(path);
    writeFileSync(path, Buffer.concat([file.subarray(0, kept.length), bytes]));
  }

  async stopOrStart(): Promise<void> {
    if (!this.isRunning) await this.#tail.start();
    else if (this.#random.chance(0.5)) {
      // A checkpoint may be 100 ms old: it has evidence for fewer bytes than were read.
      await this.#tail.clock.advance(100);
      await this.#tail.kill();
    } else await this.#tail.stop();
    this.isRunning = !this.isRunning;
  }

  takeSnapshot(): void {
    const rows = this.#tail.store.table<FileCheckpoint>('tail-checkpoints').entries();
    this.#snapshot = Array.from(rows, ({ key, value }) => ({ key: String(key), value }));
  }

  /** Streams that began after the snapshot are unknown: their files are sent again. */
  async restoreSnapshot(): Promise<void> {
    if (this.isRunning || this.#snapshot.length === 0) return;
    // The older state does not know the targets that were renamed since then, and no pattern finds them.
    await this.drain();
    const table = this.#tail.store.table<FileCheckpoint>('tail-checkpoints');
    const keys = Array.from(table.entries(), ({ key }) => String(key));
    await this.#tail.store.write(() => {
      for (const key of keys) table.remove(key);
      for (const { key, value } of this.#snapshot) table.put(key, value);
    });
    this.account.allMayRepeat();
  }

  toggle(): void {
    const { sink } = this.#tail;
    if (this.#random.chance(0.5)) sink.paused = !sink.paused;
    else sink.accepting = !sink.accepting;
    if (sink.accepting) sink.acceptAll();
  }

  /** All files are read. Afterwards the collector runs or does not run, as before. */
  async drain(): Promise<void> {
    const wasRunning = this.isRunning;
    if (!wasRunning) await this.#tail.start();
    const { sink } = this.#tail;
    sink.paused = false;
    sink.accepting = true;
    sink.acceptAll();
    await this.#tail.turn();
    for (let i = 0; i < 120 && this.#tail.source.status().waitingBytes > 0; i++) {
      await this.#tail.pass(1_000);
      sink.acceptAll();
    }
    if (!wasRunning) await this.#tail.stop();
  }

  /** New lines. Some have the same beginning or end as others. */
  #text(isNew: boolean): string {
    const opening = isNew && this.#random.chance(0.4) ? OPENING.join('') : '';
    let body = '';
    for (let lines = this.#random.integer(1, 12); lines > 0; lines--) {
      body += `${this.#line++} ${'.'.repeat(this.#random.integer(0, 100))}\n`;
    }
    return opening + body + (this.#random.chance(0.3) ? CLOSING : '');
  }

  /** A target that is rotated before a scan leaves no trace under the patterns. */
  async #makeKnown(name: string): Promise<void> {
    if (!this.#isLink(name)) return;
    if (this.isRunning) await this.#tail.turn();
    else await this.drain();
  }

  #isLink(name: string): boolean {
    return lstatSync(this.#tail.path(name)).isSymbolicLink();
  }

  #hasBackup(path: string): boolean {
    return ['.bak', '.1', '~', '-20261120', '.old'].some((suffix) => existsSync(path + suffix));
  }

  /** Lines with exactly this number of bytes. */
  #body(bytes: number): string {
    const lines: string[] = [];
    for (let left = bytes; left > 0; ) {
      const length = left < 160 ? left : 80;
      const start = `${this.#line++} `;
      const end = ` ${this.#line}\n`;
      lines.push(`${start}${'r'.repeat(Math.max(0, length - start.length - end.length))}${end}`);
      left -= length;
    }
    return lines.join('');
  }

  #has(name: string, bytes = 1): boolean {
    const path = this.#tail.path(name);
    return existsSync(path) && statSync(path).size >= bytes;
  }

  /** The file itself, when the path is a link. */
  #real(name: string): string {
    const path = this.#tail.path(name);
    return this.#isLink(name) ? join(dirname(this.#tail.logs), 'targets', name) : path;
  }

  #rotatedName(name: string): string {
    const real = existsSync(this.#tail.path(name)) ? this.#real(name) : this.#tail.path(name);
    return `${real}-2026${String(++this.#names).padStart(4, '0')}`;
  }

  #copy(from: string, to: string): void {
    copyFileSync(from, to);
    if (this.#random.chance(0.5)) return;
    const { atime, mtime } = statSync(from);
    utimesSync(to, atime, mtime);
  }

  async #ifRunning(act: () => Promise<void> | void): Promise<void> {
    if (this.isRunning) await act();
  }
}

async function round(seed: number): Promise<void> {
  const random = new Random(seed);
  const openFiles = random.pick([0, 2, 1000]);
  const bufferBytes = random.pick([700, 4_000, 1_048_576]);
  const tail = await Tailing.prepare({ bufferBytes, limits: { openFiles } });
  const targets = join(dirname(tail.logs), 'targets');
  mkdirSync(targets);
  symlinkSync(join(targets, 'link.log'), tail.path('link.log'));
  await tail.start();
  const operators = new Operators(tail, random);
  for (let step = 0; step < STEPS; step++) {
    const name = random.pick(NAMES);
    const action = random.pick(operators.actions);
    trace(JSON.stringify({ step, name, action: String(action).slice(0, 60), running: operators.isRunning }));
    await action(name);
    if (operators.isRunning && random.chance(0.5)) await tail.turn();
  }
  if (!operators.isRunning) await tail.start();
  operators.isRunning = true;
  await operators.drain();
  await tail.pass(3_000);
  for (const { level: _l, time: _t, pid: _p, hostname: _h, ...line } of tail.log) trace(JSON.stringify(line));
  const text = tail.taken.text();
  const { missing, tooMany } = operators.account.differences(text);
  expect({ missing, tooMany }, `SEED=${seed}`).toEqual({ missing: [], tooMany: [] });
  await tail.stop();
}

describe(`files with equal contents, ends and inodes (SEED=${firstSeed} ROUNDS=${rounds})`, () => {
  it.each(Array.from({ length: rounds }, (_, index) => firstSeed + index))(
    'lose no line, and repeat no line unless it is reported: SEED=%i',
    async (seed) => {
      await round(seed);
    },
    60_000,
  );
});
