import {
  type Activity,
  type Commits,
  type DeliveryState,
  type Grouping,
  INITIAL_STATE,
  type StateEvent,
  streakOf,
  transition,
} from './delivery-state.ts';

/** Stores the state of one emitter's delivery. Its collaborators change it only by events. */
export class Lifecycle {
  readonly #onHolding: (isHolding: boolean) => void;
  #state: DeliveryState = INITIAL_STATE;

  /** `onHolding` is called when delivery begins or ends to hold. */
  constructor(onHolding: (isHolding: boolean) => void) {
    this.#onHolding = onHolding;
  }

  get state(): DeliveryState {
    return this.#state;
  }

  get activity(): Activity {
    return this.#state.activity;
  }

  get commits(): Commits {
    return this.#state.commits;
  }

  get grouping(): Grouping {
    return this.#state.grouping;
  }

  on(event: StateEvent): DeliveryState {
    const { activity } = this.#state;
    this.#state = transition(this.#state, event);
    if (isHolding(this.#state.activity) !== isHolding(activity)) this.#onHolding(!isHolding(activity));
    return this.#state;
  }
}

/** Also during a shutdown that began while it was holding. */
function isHolding(activity: Activity): boolean {
  return streakOf(activity)?.isHolding === true;
}
