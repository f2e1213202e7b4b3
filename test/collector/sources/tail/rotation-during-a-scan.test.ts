import {
  appendFileSync,
  copyFileSync,
  existsSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../storage/random.ts';
import { numbered, Tailing } from './tailing.ts';

const trace = process.env.TRACE === undefined ? () => undefined : console.log;
const STEPS = 40;
const FILES = ['alpha', 'beta'];
const firstSeed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const rounds = Number(process.env.ROUNDS ?? 12);

/** Writes and rotates synchronously, between two instructions of the caller. */
class SuddenWriter {
  readonly written = new Map(FILES.map((file) => [file, '']));
  readonly #tail: Tailing;
  readonly #random: Random;
  readonly #lines = new Map<string, number>();
  #rotations = 20_260_000;

  constructor(tail: Tailing, random: Random) {
    this.#tail = tail;
    this.#random = random;
  }

  act(): void {
    const file = this.#random.pick(FILES);
    const path = this.#tail.path(`${file}.log`);
    const rotated = `${path}-${++this.#rotations}`;
    const size = existsSync(path) ? statSync(path).size : 0;
    const action = this.#random.integer(0, 9);
    if (action === 0 && size > 0) {
      renameSync(path, rotated);
    } else if (action === 1 && size > 200) {
      copyFileSync(path, rotated);
      truncateSync(path);
    }
    if (action < 2 && this.#random.chance(0.3)) return;
    this.#append(file, path);
  }

  #nextLine(file: string): number {
    const number = this.#lines.get(file) ?? 0;
    this.#lines.set(file, number + 1);
    return number;
  }

  #append(file: string, path: string): void {
    let text = '';
    for (let lines = this.#random.integer(1, 30); lines > 0; lines--) {
      text += `${file} ${this.#nextLine(file)} ${'.'.repeat(this.#random.integer(64, 120))}\n`;
    }
    appendFileSync(path, text);
    this.written.set(file, `${this.written.get(file)}${text}`);
  }
}

/** Lines as `0-17 25-30`, in the order in which they are: it shows missing, repeated and misplaced lines. */
function runsOf(lines: readonly string[]): string {
  const runs: [first: number, last: number][] = [];
  for (const line of lines) {
    const number = Number(line.split(' ')[1]);
    const run = runs.at(-1);
    if (run !== undefined && number === run[1] + 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => `${first}-${last}`).join(' ');
}

async function life(seed: number): Promise<void> {
  const random = new Random(seed);
  const tail = await Tailing.start({
    bufferBytes: random.pick([700, 4_000, 1_048_576]),
    limits: { openFiles: random.pick([0, 2, 1000]) },
  });
  const writer = new SuddenWriter(tail, random);
  const likelihood = random.pick([0.05, 0.2, 0.5]);
  let isQuiet = false;
  // Log lines are written during a scan: the files change at that moment.
  const note = tail.log.push.bind(tail.log);
  tail.log.push = (...lines) => {
    if (!isQuiet && random.chance(likelihood)) writer.act();
    return note(...lines);
  };
  for (let step = 0; step < STEPS; step++) {
    switch (random.integer(0, 9)) {
      case 0:
        await tail.kill();
        for (let acts = random.integer(0, 5); acts > 0; acts--) writer.act();
        await tail.start();
        break;
      case 1:
        tail.sink.paused = !tail.sink.paused;
        break;
      case 2:
        tail.sink.accepting = !tail.sink.accepting;
        if (tail.sink.accepting) tail.sink.acceptAll();
        break;
      case 3:
        await tail.pass(random.integer(1, 2_500));
        break;
      case 4:
      case 5:
        await tail.turn();
        break;
      default:
        writer.act();
    }
  }
  isQuiet = true;
  tail.sink.paused = false;
  tail.sink.accepting = true;
  await tail.turn();
  tail.sink.acceptAll();
  for (let i = 0; i < 60 && tail.source.status().waitingBytes > 0; i++) {
    await tail.pass(1_000);
    tail.sink.acceptAll();
  }
  for (const { level: _level, time: _time, pid: _pid, hostname: _hostname, ...line } of tail.log)
    trace(JSON.stringify(line));
  for (const file of FILES) {
    const lines = tail.taken.text().match(new RegExp(`^${file} .*\n`, 'gm')) ?? [];
    expect(runsOf(lines), `SEED=${seed} ${file}`).toBe(
      runsOf(writer.written.get(file)?.match(/.*\n/g) ?? []),
    );
  }
  await tail.stop();
}

describe(`files that are rotated during a scan (SEED=${firstSeed} ROUNDS=${rounds})`, () => {
  it.each(Array.from({ length: rounds }, (_, index) => firstSeed + index))(
    'lose no line, repeat no line, and keep the order: SEED=%i',
    { timeout: 60_000 },
    async (seed) => {
      await life(seed);
    },
  );
});

describe('a file that is truncated while its copy is compared', () => {
  /** Runs when the new name of `b.log` is logged: the followed files, `a.log` among them, were scanned before. */
  const onceLookedAtFollowed = (tail: Tailing, act: () => void): void => {
    const note = tail.log.push.bind(tail.log);
    tail.log.push = (...lines) => {
      if (lines.some(({ msg }) => msg === 'A followed file was renamed')) act();
      return note(...lines);
    };
  };

  it.each([
    { title: 'and had been read to its end', unread: 0, isKnown: false },
    { title: 'and had been read in part', unread: 20, isKnown: false },
    { title: 'a copy that was known', unread: 20, isKnown: true },
  ])('is read once: $title', async ({ unread, isKnown }) => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 30));
    await tail.append(
      'b.log',
      'a line that is longer than those sixty-four bytes by which a file is known\n',
    );
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(30, unread));
    await tail.turn();
    copyFileSync(tail.path('a.log'), tail.path('a.log.1'));
    if (isKnown) {
      await tail.turn();
      // It is scanned again, because it has changed.
      utimesSync(tail.path('a.log.1'), 1, 1);
    }
    renameSync(tail.path('b.log'), tail.path('b.log.1'));
    onceLookedAtFollowed(tail, () => truncateSync(tail.path('a.log')));
    await tail.turn();
    await tail.append('a.log', numbered(30 + unread, 10));
    tail.sink.paused = false;
    await tail.pass(4_000);
    const lines = tail.taken.text().replace(/^a line.*\n/m, '');
    expect(lines).toBe(numbered(0, 40 + unread));
    expect(tail.messages(50)).toEqual([]);
  });
});
