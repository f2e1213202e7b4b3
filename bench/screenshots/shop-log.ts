import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../testkit/random.ts';

const TICK_MS = 100;
const ROUTES = ['/api/orders', '/api/orders/17', '/api/cart', '/products/42', '/login', '/health'] as const;
const STATUSES = [200, 200, 200, 200, 200, 200, 201, 304, 404, 500] as const;
const SEVERITIES = ['info', 'info', 'info', 'info', 'debug', 'warn', 'error'] as const;

/** The logs of a shop: an access log, and the log of its program in JSON. */
export class ShopLog {
  readonly #directory: string;
  readonly #random = new Random(7);
  #orders = 1000;
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  get tailConfiguration(): readonly object[] {
    return [
      { paths: [join(this.#directory, 'shop.log')], format: 'json' },
      { paths: [join(this.#directory, 'access.log')], format: 'combined' },
    ];
  }

  /** Records over this time, until now. */
  async writePast({
    records,
    seconds,
  }: {
    readonly records: number;
    readonly seconds: number;
  }): Promise<void> {
    const first = Date.now() - seconds * 1000;
    const step = (seconds * 1000) / records;
    const times = Array.from({ length: records }, (_, at) => new Date(first + at * step));
    this.#append(times);
  }

  startLive(): void {
    this.#timer = setInterval(() => this.#append([new Date()]), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #append(times: readonly Date[]): void {
    const programTimes = times.filter(() => this.#random.between(0, 2) === 0);
    const program = programTimes.map((time) => this.#programLine(time)).join('');
    const access = times.map((time) => this.#accessLine(time)).join('');
    appendFileSync(join(this.#directory, 'shop.log'), program);
    appendFileSync(join(this.#directory, 'access.log'), access);
  }

  #programLine(time: Date): string {
    const level = this.#random.pick(SEVERITIES);
    const id = this.#orders++;
    const total = this.#random.between(500, 20_000) / 100;
    const duration = this.#random.between(3, 900);
    const msg = MESSAGES[level](id);
    return `${JSON.stringify({ time: time.toISOString(), level, service: 'shop', msg, order: { id, total }, duration })}\n`;
  }

  #accessLine(time: Date): string {
    const address = `10.0.${this.#random.between(0, 3)}.${this.#random.between(1, 250)}`;
    const [, day = '', month = '', year = '', clock = ''] =
      /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(time.toUTCString()) ?? [];
    const request = `"GET ${this.#random.pick(ROUTES)} HTTP/1.1" ${this.#random.pick(STATUSES)} ${this.#random.between(100, 9000)}`;
    return `${address} - - [${day}/${month}/${year}:${clock} +0000] ${request} "-" "Mozilla/5.0 (X11; Linux)"\n`;
  }
}

const MESSAGES: Readonly<Record<(typeof SEVERITIES)[number], (id: number) => string>> = {
  debug: (id) => `price of order ${id} from the cache`,
  info: (id) => `order ${id} is paid`,
  warn: (id) => `payment of order ${id} is slow, trying again`,
  error: (id) => `payment of order ${id} failed: the bank did not answer within 3 s`,
};
