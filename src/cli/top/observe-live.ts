import type { TopStreamsKey } from '../../collector/collector-reports.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Terminal } from '../monitor/terminal/terminal.ts';
import { timeText } from '../monitor/terminal/time-text.ts';
import type { Io } from '../output/io.ts';
import { FullScreen } from './full-screen.ts';
import { topFrame } from './top-frame.ts';
import type { TopObserver } from './top-observer.ts';

export interface LiveOptions {
  readonly io: Pick<Io, 'stdin' | 'stdout'>;
  readonly observers: readonly TopObserver[];
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly key: TopStreamsKey;
  /** Ends the view: `q`, or the end of the input. */
  readonly quit: () => void;
}

const KEYS: Readonly<Record<string, TopStreamsKey>> = { r: 'rate', b: 'backlog', l: 'lag', n: 'name' };
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Shows the processes until `signal` aborts. */
export async function observeLive(options: LiveOptions, signal: AbortSignal): Promise<void> {
  const { io, observers, terminal, clock, intervalMs } = options;
  const screen = new FullScreen(io.stdout);
  let key = options.key;
  let awake = new AbortController();
  const draw = () => {
    const time = timeText(secondOf(clock.nowUnixNano()), terminal);
    const views = observers.map(({ view }) => view);
    screen.draw(topFrame(views, { terminal, live: { time, key } }));
  };
  const pressed = (letter: string) => {
    if (letter === 'q' || letter === CTRL_C || letter === CTRL_D) options.quit();
    const chosen = KEYS[letter];
    if (chosen === undefined) return;
    key = chosen;
    awake.abort();
  };
  const release = listenToKeys(io, pressed);
  io.stdout.on('resize', draw);
  try {
    draw();
    while (!signal.aborted) {
      await Promise.all(observers.map((observer) => observer.observe({ limit: terminal.rows, key })));
      if (signal.aborted) break;
      draw();
      awake = new AbortController();
      await pause(clock, intervalMs, [signal, awake.signal]);
    }
  } finally {
    io.stdout.off('resize', draw);
    release();
    screen.close();
  }
}

function secondOf(unixNano: bigint): string {
  return new Date(Number(unixNano / 1_000_000_000n) * 1000).toISOString();
}

/** A terminal sends each key at once only in raw mode. Returns a function that ends it. */
function listenToKeys({ stdin }: Pick<Io, 'stdin'>, pressed: (key: string) => void): () => void {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined || stdin.on === undefined) return () => {};
  const received = (bytes: unknown) => {
    // The keys of an escape sequence, such as an arrow, have no meaning.
    const text = String(bytes);
    if (!text.startsWith('\u001b')) for (const letter of text) pressed(letter);
  };
  stdin.setRawMode(true);
  stdin.on('data', received);
  stdin.resume?.();
  return () => {
    stdin.off?.('data', received);
    stdin.setRawMode?.(false);
    stdin.pause?.();
  };
}

async function pause(clock: Clock, ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  if (signals.some(({ aborted }) => aborted)) end();
  await clock.sleep(ms, ended.signal).catch(() => {});
  for (const signal of signals) signal.removeEventListener('abort', end);
}
