import { open } from 'node:fs/promises';
import { Random } from '../testkit/random.ts';

/**
 * A realistic access log in the Combined Log Format, about 200 bytes per line. The same seed gives the same
 * bytes; the sequence number in its query makes every line unique. It is cheap to generate (400 MB in a few
 * seconds), because the parts of a line are picked from prepared lists.
 */
export class AccessLog {
  #random: Random;
  #parts: Parts;
  #sequence = 0;
  readonly #clock: (() => number) | undefined;
  #timeUnixMs = Date.UTC(2026, 0, 15, 6, 0, 0);
  #timeText = '';
  #timeTextUnixS = -1;

  /**
   * `clock`: returns the time of each line (ms since 1970); default: about a thousand requests a second, in
   * the past.
   */
  constructor(seed = 1, clock?: () => number) {
    this.#clock = clock;
    this.#random = new Random(seed);
    this.#parts = makeParts(this.#random);
  }

  /** Number of lines so far. */
  get lines(): number {
    return this.#sequence;
  }

  /** The next line, with its line ending. ASCII. */
  line(): string {
    const random = this.#random;
    const { addresses, requests, referrers, agents, outcomes } = this.#parts;
    const sequence = String(this.#sequence++).padStart(10, '0');
    const size = random.between(200, 60_000);
    return (
      `${random.pick(addresses)} - - [${this.#time()}] "${random.pick(requests)}?request=${sequence} HTTP/1.1" ` +
      `${random.pick(outcomes)} ${size} "${random.pick(referrers)}" "${random.pick(agents)}"\n`
    );
  }

  /** Whole lines of at least `bytes` bytes together. */
  chunk(bytes: number): string {
    let text = '';
    while (text.length < bytes) text += this.line();
    return text;
  }

  #time(): string {
    this.#timeUnixMs = this.#clock?.() ?? this.#timeUnixMs + 1;
    const second = Math.floor(this.#timeUnixMs / 1000);
    if (second !== this.#timeTextUnixS) {
      this.#timeTextUnixS = second;
      this.#timeText = combinedTime(new Date(second * 1000));
    }
    return this.#timeText;
  }
}

export interface WrittenLog {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Writes a log of about `megabytes` (10^6 bytes) and flushes it, so that its dirty pages do not slow down a
 * later run.
 */
export async function writeAccessLog(path: string, megabytes: number, seed = 1): Promise<WrittenLog> {
  const log = new AccessLog(seed);
  const file = await open(path, 'w');
  let bytes = 0;
  try {
    while (bytes < megabytes * 1e6) {
      const chunk = Buffer.from(log.chunk(Math.min(1 << 20, megabytes * 1e6 - bytes)), 'latin1');
      await file.writeFile(chunk);
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { path, bytes, lines: log.lines };
}

interface Parts {
  readonly addresses: readonly string[];
  readonly requests: readonly string[];
  readonly referrers: readonly string[];
  readonly agents: readonly string[];
  readonly outcomes: readonly string[];
}

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'curl/8.5.0',
  'python-requests/2.32.3',
  'Go-http-client/2.0',
];
const SECTIONS = [
  'products',
  'articles',
  'users',
  'api/v2/orders',
  'search',
  'static/js',
  'images',
  'checkout',
];
const WORDS = [
  'blue',
  'winter',
  'account',
  'summary',
  'large',
  'index',
  'bundle',
  'profile',
  'latest',
  'cart',
];

function makeParts(random: Random): Parts {
  const list = (length: number, make: () => string) => Array.from({ length }, make);
  const path = () =>
    `/${random.pick(SECTIONS)}/${random.pick(WORDS)}-${random.pick(WORDS)}/${random.between(1, 100_000)}`;
  return {
    addresses: list(20_000, () => list(4, () => String(random.between(1, 255))).join('.')),
    requests: list(10_000, () => `${random.chance(0.85) ? 'GET' : 'POST'} ${path()}`),
    referrers: list(1000, () => (random.chance(0.5) ? '-' : `https://shop.example${path()}`)),
    agents: AGENTS,
    outcomes: ['200', '200', '200', '200', '200', '200', '304', '301', '404', '500'],
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function combinedTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()] ?? ''}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}
