import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-ports.ts';
import { cpuSeconds } from '../process-usage.ts';
import { RunningProcess } from '../running-process.ts';

export interface OwnClickHousePlan {
  /** Created here. */
  readonly directory: string;
  /** The password of every user. Default: none is needed. */
  readonly password?: string;
  readonly onStderr?: (chunk: Buffer) => void;
}

/** `make test-clickhouse` installs the engine here. Found from the checkout, in which tests and tools run. */
const CHDB = join(process.cwd(), '.tmp/chdb');
const FRONT = join(process.cwd(), 'testkit/clickhouse/http-front.mjs');
const READY_TIMEOUT_MS = 60_000;

/** A private ClickHouse on a free port of 127.0.0.1, in its own directory: see `http-front.mjs`. */
export class OwnClickHouse {
  readonly port: number;
  readonly #plan: OwnClickHousePlan;
  #server: RunningProcess | undefined;

  private constructor(plan: OwnClickHousePlan, port: number) {
    this.#plan = plan;
    this.port = port;
  }

  static isInstalled(): boolean {
    return existsSync(join(CHDB, 'node_modules/chdb/package.json'));
  }

  /** Creates a new server without starting it. */
  static async create(plan: OwnClickHousePlan): Promise<OwnClickHouse> {
    if (!OwnClickHouse.isInstalled()) throw new Error('chdb is not installed (make test-clickhouse)');
    mkdirSync(plan.directory, { recursive: true });
    return new OwnClickHouse(plan, await freePort());
  }

  /** CPU time of the running server so far. */
  get cpuSeconds(): number {
    return this.#server === undefined ? 0 : cpuSeconds(this.#server.pid);
  }

  url(port = this.port): string {
    return `http://127.0.0.1:${port}`;
  }

  /** Resolves when the server answers. The engine of a killed server may still hold the directory, so it is repeated. */
  async start(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (performance.now() > deadline)
        throw new Error(`ClickHouse did not start: ${this.#server?.stderr.slice(-2000)}`);
      if (this.#server === undefined || this.#server.exit !== undefined) this.#spawn();
      await sleep(50);
    }
  }

  /** Sends SIGKILL. Does nothing if it is not running. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  freeze(): void {
    this.#server?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#server?.signal('SIGCONT');
  }

  /** The rows of a query, or nothing for another statement. Rejects with the message of the server. */
  async sql(statement: string, settings = ''): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { password = '' } = this.#plan;
    const response = await fetch(`${this.url()}/?output_format_json_quote_64bit_integers=0${settings}`, {
      method: 'POST',
      body: statement,
      headers: { 'X-ClickHouse-Key': password },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  #spawn(): void {
    const { directory, password, onStderr } = this.#plan;
    this.#server = RunningProcess.start({
      name: 'clickhouse',
      command: process.execPath,
      args: [FRONT, CHDB, directory, String(this.port), ...(password === undefined ? [] : [password])],
      ...(onStderr && { onStderr }),
    });
  }

  async #answers(): Promise<boolean> {
    if (this.#server === undefined || this.#server.exit !== undefined) return false;
    try {
      const response = await fetch(`${this.url()}/ping`, { signal: AbortSignal.timeout(2000) });
      return response.ok;
    } catch {
      return false;
    }
  }
}
