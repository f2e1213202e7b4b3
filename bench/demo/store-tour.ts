import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PRODUCT_ENTRY } from '../../testkit/product.ts';
import type { Narrator } from './narrator.ts';

const run = promisify(execFile);
const PATIENCE_MS = 20_000;

interface AlertStates {
  readonly states: readonly { readonly state: string }[];
}

/** Shows queries of the embedded store, with the commands that a user would type. */
export class StoreTour {
  readonly #httpAddress: string;
  readonly #narrator: Narrator;

  constructor(httpAddress: string, narrator: Narrator) {
    this.#httpAddress = httpAddress;
    this.#narrator = narrator;
  }

  /** Creates the metrics total_traffic and total_traffic_per_route, and the alert totaltraffic. */
  async createDefaults(): Promise<void> {
    await this.#shown(['metrics', 'create', '--default']);
  }

  /**
   * Returns the number of records in the store, as soon as it reaches the expected number or after a timeout.
   */
  async untilHolding(lines: number): Promise<number> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const bars = await this.#json<{ count: number }>(['logs', '--histogram', '--from', '1h']);
      const total = bars.reduce((sum, { count }) => sum + count, 0);
      if (total >= lines || Date.now() > deadline) return total;
      await sleep(200);
    }
  }

  /**
   * Resolves with whether errors are found and the alert fires: hundreds of requests a second exceed its
   * level. Waits for the alert only with `untilFiring`.
   */
  async show({ untilFiring }: { readonly untilFiring: boolean }): Promise<boolean> {
    const deadline = Date.now() + (untilFiring ? PATIENCE_MS : 0);
    let isFiring = false;
    while (!isFiring && Date.now() < deadline) {
      const [alert] = await this.#json<AlertStates>(['alerts', 'get', 'totaltraffic']);
      isFiring = alert?.states.some(({ state }) => state === 'firing') ?? false;
      if (!isFiring) await sleep(200);
    }
    const errors = await this.#shown(['logs', '--where', 'status_code=500', '-n', '3']);
    await this.#shown(['metrics', 'get', 'total_traffic', '-n', '12', '--chart']);
    await this.#shown(['alerts', 'get', 'totaltraffic']);
    return isFiring && errors !== '';
  }

  async #shown(args: readonly string[]): Promise<string> {
    const line = ['mega-collector', 'monitor', ...args].join(' ');
    const output = await this.#output(args);
    this.#narrator.command(line, output);
    return output;
  }

  /** Parses one object per line. */
  async #json<T>(args: readonly string[]): Promise<readonly T[]> {
    const lines = (await this.#output([...args, '--json'])).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as T);
  }

  async #output(args: readonly string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [PRODUCT_ENTRY, 'monitor', ...args], {
      env: { PATH: process.env.PATH ?? '', AGGREGATOR_HTTP_ADDRESS: this.#httpAddress },
    });
    return stdout;
  }
}
