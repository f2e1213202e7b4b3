import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { errorMessage } from '../../../runtime/error-message.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import type { Journal } from '../../journal/journal.ts';
import type { ListenerStatus, Source, SourceStatus, StreamSink } from '../../source.ts';
import type { RequestIntake } from './request-intake.ts';
import type { RequestListener } from './request-listener.ts';

export interface RequestSourceOptions {
  readonly name: string;
  /** `logs of OpenTelemetry`, for a sentence. */
  readonly purpose: string;
  /** Creates a listener for each address. Called once, by `start`. */
  readonly createListeners: () => readonly NamedListener[];
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly events: RequestSourceEvents;
  readonly clock: Clock;
}

export interface NamedListener {
  /** The configured address, also the name of its stream. */
  readonly name: string;
  readonly intake: Pick<RequestIntake, 'received' | 'stop' | 'abandon'>;
  readonly listener: RequestListener;
}

export interface RequestSourceEvents {
  listening(event: { readonly listener: string; readonly address: string }): void;
  listenFailed(event: { readonly listener: string; readonly reason: string }): void;
  flush(): void;
}

/**
 * A source whose clients send requests, and wait for the answer:
 *
 *     listeners --> intake of each --> journal --> publisher
 *     <-- answers ------- flushed <------'
 *
 * There is one stream for each listener. A listener that cannot be opened is tried again, and the others work.
 */
export class RequestSource implements Source {
  readonly name: string;
  readonly #options: RequestSourceOptions;
  #listeners: readonly OpenedListener[] = [];
  #cancelRetry: Cancel = () => {};
  #opening: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: RequestSourceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(sink: StreamSink): Promise<void> {
    const { journal, createListeners } = this.#options;
    journal.attach(sink);
    this.#listeners = createListeners().map((listener) => ({ ...listener }));
    const origins = new Set(this.#listeners.map(({ name }) => name));
    for (const origin of journal.openOrigins) if (!origins.has(origin)) journal.writer(origin).close();
    await this.#openAll();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#cancelRetry();
    await this.#opening;
    await Promise.all(this.#listeners.map((each) => close(each, deadline)));
    this.#options.events.flush();
  }

  drained(): Promise<void> {
    return this.#options.journal.drained();
  }

  status(): SourceStatus {
    const { journal } = this.#options;
    const closed = this.#listeners.find(({ failure }) => failure !== undefined);
    return {
      streams: journal.status(),
      failure: journal.failure ?? closed?.failure,
      listeners: this.#listeners.map(statusOf),
    };
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }

  #openAll(): Promise<void> {
    this.#opening = Promise.all(this.#listeners.map((each) => this.#open(each))).then(() => {
      if (this.#isStopping || this.#listeners.every(({ address }) => address !== undefined)) return;
      this.#cancelRetry = this.#options.clock.after(RETRY_AFTER_MS, () => void this.#openAll());
    });
    return this.#opening;
  }

  async #open(opened: OpenedListener): Promise<void> {
    if (opened.address !== undefined) return;
    const { purpose, events } = this.#options;
    const { name: listener } = opened;
    try {
      opened.address = await opened.listener.open();
      delete opened.failure;
      events.listening({ listener, address: opened.address });
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(errorMessage(error));
      opened.failure = listenError({ purpose, address: listener }, cause).message;
      events.listenFailed({ listener, reason: opened.failure });
    }
  }
}

const RETRY_AFTER_MS = 5000;

interface OpenedListener extends NamedListener {
  address?: string;
  failure?: string;
}

/** Requests whose records are being written are answered first. */
async function close({ intake, listener }: OpenedListener, deadline: AbortSignal): Promise<void> {
  intake.stop();
  const abandon = () => intake.abandon();
  deadline.addEventListener('abort', abandon, { once: true });
  if (deadline.aborted) abandon();
  await listener.close(deadline);
  deadline.removeEventListener('abort', abandon);
}

function statusOf({ name, intake, listener, address, failure }: OpenedListener): ListenerStatus {
  const { records, bytes } = intake.received;
  return {
    listener: name,
    state: address === undefined ? 'closed' : 'listening',
    ...(address !== undefined && { address }),
    ...(failure !== undefined && { failure }),
    connections: listener.connections,
    clients: [],
    ...{ records, bytes },
    dropped: { noRoom: 0 },
  };
}
