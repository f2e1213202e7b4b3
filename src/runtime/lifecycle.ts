import type { Component } from './component.ts';

/**
 * Several components with one life. They are named from downstream to upstream: started in that order, so that nobody
 * hands on to somebody who is not there yet, and stopped in the opposite one.
 */
export class Lifecycle implements Component {
  readonly #components: readonly Component[];
  /** Downstream first. */
  #started: Component[] = [];

  constructor(downstreamFirst: readonly Component[]) {
    this.#components = downstreamFirst;
  }

  /** When one cannot start, those before it are stopped again, and its error is thrown. */
  async start(): Promise<void> {
    for (const component of this.#components) {
      this.#started.push(component);
      try {
        await component.start();
      } catch (error) {
        await this.stop(AbortSignal.abort()).catch(() => {});
        throw error;
      }
    }
  }

  /** Every component is stopped, whatever the others throw; then the first error is thrown. */
  async stop(deadline: AbortSignal): Promise<void> {
    const errors: unknown[] = [];
    for (const component of this.#started.splice(0).reverse()) {
      await component.stop(deadline).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}
