import { errorMessage } from '../../runtime/error-message.ts';

/** Has connections, and reads the certificates when it is created. */
export interface ClosablePublisher {
  close(deadline: AbortSignal): Promise<void>;
}

export interface ReplaceablePublisherOptions<Publisher> {
  readonly create: () => Promise<Publisher>;
  /** The previous one stays in use. */
  readonly onReplaceFailed: (reason: string) => void;
}

/** The publisher of an emitter. After `reopen`, another one with the certificates of that moment replaces it. */
export class ReplaceablePublisher<Publisher extends ClosablePublisher> {
  readonly #options: ReplaceablePublisherOptions<Publisher>;
  #isReopenWanted = false;
  /** undefined before start and after stop. */
  now: Publisher | undefined;

  constructor(options: ReplaceablePublisherOptions<Publisher>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.now = await this.#options.create();
  }

  reopen(): void {
    this.#isReopenWanted = true;
  }

  /** `isFlushed`: the current publisher has no messages that are not flushed, so it may be replaced. */
  async current(isFlushed: boolean): Promise<Publisher | undefined> {
    const old = this.now;
    if (!this.#isReopenWanted || !isFlushed || old === undefined) return old;
    this.#isReopenWanted = false;
    try {
      this.now = await this.#options.create();
      await old.close(AbortSignal.abort());
    } catch (error) {
      this.#options.onReplaceFailed(errorMessage(error));
    }
    return this.now;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const publisher = this.now;
    this.now = undefined;
    await publisher?.close(deadline);
  }
}
