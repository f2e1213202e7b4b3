/**
 * Something with a life: `start` resolves when it is ready; `stop` is safe unstarted and twice, stops intake first,
 * passes on what is held, and releases every handle. What the deadline leaves over stays durable.
 * Start downstream first, stop upstream first.
 */
export interface Component {
  start(): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
}
