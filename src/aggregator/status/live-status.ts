import type { Clock } from '../../runtime/clock.ts';
import type { Health } from '../../runtime/http/health.ts';
import type { Queue } from '../../storage/queue/queue.ts';
import type { QueueBalance } from '../../storage/queue/queue-contract.ts';
import { type FileSystem, nodeFileSystem } from '../../storage/state/file-system.ts';
import type { IntakeActivity } from '../api/operations/intake-operations.ts';
import type { EmitterLiveReport, LiveReport } from '../api/operations/live-reports.ts';
import type { EmitterState, EmitterStatus } from '../delivery/emitter-status.ts';
import type { NotifierReport } from '../notify/notifier.ts';
import { Throughput } from './throughput.ts';

export interface LiveStatusOptions {
  readonly queue: Pick<Queue, 'balance' | 'fullness'>;
  readonly stateDirectory: string;
  readonly emitters: () => readonly EmitterStatus[];
  readonly activity: () =>
    | {
        readonly collectors: Pick<IntakeActivity['collectors'], 'connected'>;
        readonly streams: Pick<IntakeActivity['streams'], 'count'>;
      }
    | undefined;
  readonly health: () => Health;
  readonly notifier: () => NotifierReport;
  /** PagerDuty is configured. */
  readonly pages: boolean;
  readonly clock: Clock;
  readonly fileSystem?: Pick<FileSystem, 'space'>;
}

/** The part of the status that only a running aggregator knows. */
export class LiveStatus {
  readonly #options: LiveStatusOptions;
  readonly #throughput: Throughput;

  constructor(options: LiveStatusOptions) {
    this.#options = options;
    this.#throughput = new Throughput(options.clock);
    this.sample();
  }

  /** To be called every 10 s: rates are over the last minute. */
  sample(): void {
    this.#throughput.sample(this.#options.queue.balance());
  }

  async report(): Promise<LiveReport> {
    const { queue, health, notifier, pages } = this.#options;
    const balance = queue.balance();
    const { openIncidents, lastError } = notifier();
    return {
      emitters: new Map(
        this.#options.emitters().map((status) => [status.emitter, this.#emitter(status, balance)]),
      ),
      intake: this.#intake(balance),
      disk: await this.#disk(),
      health: healthReport(health()),
      pagerduty: {
        configured: pages,
        openIncidents: openIncidents.slice(0, MAX_INCIDENTS).map((incident) => ({ ...incident })),
        lastError: lastError ?? null,
      },
    };
  }

  #emitter(status: EmitterStatus, balance: QueueBalance): EmitterLiveReport {
    const { emitter, state, oldestUndeliveredAgeMs, reason } = status;
    const { recordsPerSecond, catchUpSeconds } = this.#throughput.emitter(balance, emitter);
    return {
      state: STATES[state],
      lagSeconds: Math.round(oldestUndeliveredAgeMs / 100) / 10,
      recordsPerSecond,
      ...(catchUpSeconds !== undefined && { catchUpSeconds }),
      ...(reason !== undefined && { problem: reason }),
    };
  }

  #intake(balance: QueueBalance): LiveReport['intake'] {
    const { records, bytes } = this.#throughput.intake(balance);
    const activity = this.#options.activity();
    return {
      recordsPerSecond: records,
      bytesPerSecond: bytes,
      collectors: activity?.collectors.connected ?? 0,
      streams: activity?.streams.count ?? 0,
    };
  }

  async #disk(): Promise<LiveReport['disk']> {
    const { queue, stateDirectory: path, fileSystem = nodeFileSystem } = this.#options;
    const { usedBytes, maxBytes } = queue.fullness();
    const space = await fileSystem.space(path).catch(() => undefined);
    return { path, usedBytes, freeBytes: space?.availableBytes ?? null, limitBytes: maxBytes };
  }
}

const MAX_INCIDENTS = 100;

const STATES: Readonly<Record<EmitterState, EmitterLiveReport['state']>> = {
  idle: 'running',
  delivering: 'running',
  retrying: 'retrying',
  holding: 'holding',
  failed: 'failed',
  stopped: 'stopped',
};

function healthReport({ ready, reason = 'not ready', late }: Health): LiveReport['health'] {
  const problems = [
    ...(ready ? [] : [`Not ready: ${reason}.`]),
    ...late.map(({ what, ageSeconds }) => `Late: ${what}, for ${ageSeconds} s.`),
  ];
  return { status: problems.length === 0 ? 'ok' : 'degraded', problems };
}
