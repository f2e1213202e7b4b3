/**
 * A component with a lifecycle: `start` resolves when it is ready. `stop` may be called before `start` and
 * twice; it first stops accepting data, then passes on what it holds, and releases all handles. Data that is
 * left at the deadline stays durable. Start downstream components first, stop upstream ones first.
 */
export interface Component {
  start(): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
}
