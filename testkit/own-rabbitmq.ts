import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import { freePorts } from './free-ports.ts';
import { cpuSeconds } from './process-usage.ts';
import { RunningProcess, runCommand } from './running-process.ts';

export interface OwnRabbitmqPlan {
  /** Created here; its parent directories must be accessible to other users. */
  readonly directory: string;
  /** The server's certificate: it also listens with TLS. */
  readonly tls?: RabbitmqTls;
  /** Lines of `rabbitmq.conf` in addition. */
  readonly settings?: readonly string[];
  /** Threads of the Erlang scheduler; default: 1. */
  readonly schedulers?: number;
}

/** PEM texts. */
export interface RabbitmqTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const INSTALLED = '/usr/lib/rabbitmq';
const USER = 'rabbitmq';
const READY_TIMEOUT_MS = 120_000;
/** Below it the disk alarm is raised: small enough for any machine. */
const NO_ALARM = '1MB';
const ALARM = '100000GB';

/**
 * A private RabbitMQ broker on free ports of 127.0.0.1, with streams, in its own directory and with its own port mapper
 * (epmd). Its start takes some seconds, so tests of one file share it.
 */
export class OwnRabbitmq {
  readonly port: number;
  readonly tlsPort: number;
  readonly streamPort: number;
  readonly #plan: OwnRabbitmqPlan;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #portMapperPort: number;
  #server: RunningProcess | undefined;

  private constructor(plan: OwnRabbitmqPlan, ports: readonly number[]) {
    const [port = 0, distributionPort = 0, portMapperPort = 0, streamPort = 0, tlsPort = 0] = ports;
    this.#plan = plan;
    this.port = port;
    this.tlsPort = tlsPort;
    this.streamPort = streamPort;
    this.#portMapperPort = portMapperPort;
    const { directory, schedulers = 1 } = plan;
    this.#environment = environmentOf(directory, { port, distributionPort, portMapperPort, schedulers });
  }

  /** Whether this machine has a RabbitMQ that this user may run. */
  static isInstalled(): boolean {
    return existsSync(join(INSTALLED, 'bin/rabbitmq-server')) && (!isRoot() || userId() !== undefined);
  }

  /** Creates a new broker without starting it. */
  static async create(plan: OwnRabbitmqPlan): Promise<OwnRabbitmq> {
    if (!OwnRabbitmq.isInstalled()) {
      throw new Error('RabbitMQ is not installed (apt-get install rabbitmq-server)');
    }
    const broker = new OwnRabbitmq(plan, await freePorts(5));
    broker.#writeFiles();
    return broker;
  }

  url(vhost = '/', user = 'guest', password = 'guest'): string {
    return `amqp://${user}:${password}@127.0.0.1:${this.port}/${encodeURIComponent(vhost)}`;
  }

  /** Resolves when the broker accepts connections. */
  async start(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (performance.now() > deadline) {
        throw new Error(`RabbitMQ did not start: ${this.#server?.stderr.slice(-4000)}`);
      }
      if (this.#server === undefined || this.#server.exit !== undefined) this.#server = this.#startServer();
      await sleep(100);
    }
  }

  /** Stops in order. Can be called twice. The port mapper stays until `end`. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exit !== undefined) return;
    await this.control('stop').catch(() => {});
    const isStopped = await Promise.race([server.exited.then(() => true), sleep(30_000, false)]);
    if (!isStopped) await this.kill();
  }

  /** Sends SIGKILL to all its processes at once. Does nothing if it is not running. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exit !== undefined) return;
    // It leads a process group of its own.
    for (const pid of processesOfGroup(server.pid)) signal(pid, 'SIGKILL');
    await server.exited;
  }

  freeze(): void {
    for (const pid of this.#processes()) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.#processes()) signal(pid, 'SIGCONT');
  }

  /** Kills the broker and its port mapper. */
  async end(): Promise<void> {
    this.thaw();
    await this.kill();
    const env = { ...this.#environment };
    const args = ['-port', String(this.#portMapperPort), '-kill'];
    await runCommand({ name: 'epmd', command: 'epmd', args, env }).catch(() => {});
  }

  /** CPU time of all its processes. */
  cpuSeconds(): number {
    return this.#processes().reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  }

  /** Runs `rabbitmqctl`. */
  async control(...args: readonly string[]): Promise<string> {
    return await runCommand({
      name: `rabbitmqctl ${args[0] ?? ''}`,
      ...asUser(join(INSTALLED, 'bin/rabbitmqctl'), ['--quiet', ...args]),
      env: this.#environment,
      cwd: this.#plan.directory,
    });
  }

  /** The broker blocks all publishers. */
  async raiseDiskAlarm(): Promise<void> {
    await this.control('set_disk_free_limit', ALARM);
  }

  async clearDiskAlarm(): Promise<void> {
    await this.control('set_disk_free_limit', NO_ALARM);
  }

  /**
   * Writes the names of new quorum queues to disk. The broker does that only every few minutes: a queue that was declared
   * just before a kill would be empty after it, and without a leader.
   */
  async syncQueueNames(): Promise<void> {
    await this.control('eval', '[ok = dets:sync(T) || T <- dets:all()].');
  }

  /** Opens a connection, which is closed in any case. */
  async use<T>(work: (connection: ChannelModel) => Promise<T>, vhost = '/'): Promise<T> {
    const connection = await connect(this.url(vhost));
    connection.on('error', () => {});
    try {
      return await work(connection);
    } finally {
      await connection.close().catch(() => {});
    }
  }

  /** Returns the number of deleted messages, without those that a consumer has and has not acknowledged. */
  async purge(queue: string): Promise<number> {
    return await this.use(async (connection) => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      return (await channel.purgeQueue(queue)).messageCount;
    });
  }

  /** Returns the number of deleted messages. */
  async deleteQueue(queue: string): Promise<number> {
    return await this.use(async (connection) => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      return (await channel.deleteQueue(queue)).messageCount;
    });
  }

  #writeFiles(): void {
    const { directory, tls, settings = [] } = this.#plan;
    for (const name of ['', 'home', 'mnesia', 'log']) mkdirSync(join(directory, name), { recursive: true });
    const files: [string, string][] = [
      ['rabbitmq.conf', [...this.#settings(), ...settings, ''].join('\n')],
      ['enabled_plugins', '[rabbitmq_stream].\n'],
      ['home/.erlang.cookie', `COOKIE${this.port}`],
    ];
    if (tls !== undefined) {
      files.push(['ca.pem', tls.ca], ['certificate.pem', tls.certificate], ['key.pem', tls.key]);
    }
    for (const [name, text] of files) writeFileSync(join(directory, name), text, { mode: 0o400 });
    chmodSync(directory, 0o755);
    const user = isRoot() ? userId() : undefined;
    if (user === undefined) return;
    for (const name of ['', 'home', 'mnesia', 'log', ...files.map(([file]) => file)])
      chownSync(join(directory, name), user, user);
  }

  #settings(): readonly string[] {
    const { directory, tls } = this.#plan;
    return [
      `listeners.tcp.1 = 127.0.0.1:${this.port}`,
      `stream.listeners.tcp.1 = 127.0.0.1:${this.streamPort}`,
      'stream.advertised_host = 127.0.0.1',
      `stream.advertised_port = ${this.streamPort}`,
      `disk_free_limit.absolute = ${NO_ALARM}`,
      'vm_memory_high_watermark.absolute = 1GB',
      'log.console = true',
      'log.console.level = error',
      'log.file = false',
      ...(tls === undefined
        ? []
        : [
            `listeners.ssl.1 = 127.0.0.1:${this.tlsPort}`,
            `ssl_options.cacertfile = ${join(directory, 'ca.pem')}`,
            `ssl_options.certfile = ${join(directory, 'certificate.pem')}`,
            `ssl_options.keyfile = ${join(directory, 'key.pem')}`,
            'ssl_options.verify = verify_peer',
            'ssl_options.fail_if_no_peer_cert = false',
          ]),
    ];
  }

  #startServer(): RunningProcess {
    return RunningProcess.start({
      name: 'rabbitmq',
      ...asUser(join(INSTALLED, 'bin/rabbitmq-server'), []),
      env: this.#environment,
      cwd: this.#plan.directory,
      onStdout: () => {},
    });
  }

  async #answers(): Promise<boolean> {
    if (this.#server === undefined || this.#server.exit !== undefined) return false;
    return await this.use(async () => true).catch(() => false);
  }

  #processes(): readonly number[] {
    const server = this.#server;
    return server === undefined || server.exit !== undefined ? [] : processesOfGroup(server.pid);
  }
}

interface Ports {
  readonly port: number;
  readonly distributionPort: number;
  readonly portMapperPort: number;
}

/** No busy waiting: it shares the machine with the tests. */
const erlangArguments = (schedulers: number) =>
  `+S ${schedulers}:${schedulers} +sbwt none +sbwtdcpu none +sbwtdio none`;

function environmentOf(
  directory: string,
  { port, distributionPort, portMapperPort, schedulers }: Ports & { readonly schedulers: number },
) {
  return {
    HOME: join(directory, 'home'),
    RABBITMQ_NODENAME: `mega${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    ERL_EPMD_PORT: String(portMapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq'),
    RABBITMQ_CONFIG_FILES: join(directory, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_PID_FILE: join(directory, 'mnesia/pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: erlangArguments(schedulers),
  };
}

/** The broker does not need root. */
function asUser(command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  if (!isRoot()) return { command, args };
  const become = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--', command];
  return { command: 'setpriv', args: [...become, ...args] };
}

function processesOfGroup(group: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => groupOf(pid) === group);
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function userId(): number | undefined {
  try {
    return Number(execFileSync('id', ['-u', USER], { stdio: 'pipe' }).toString());
  } catch {
    return undefined;
  }
}
