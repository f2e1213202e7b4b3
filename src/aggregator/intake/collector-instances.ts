const MAX_COLLECTORS = 10_000;
const MAX_OLDER = 16;

interface Instances {
  current: bigint;
  /** Replaced by a later one, the newest last. */
  older: bigint[];
  /** Came back after they had been replaced, or replaced such a one: they run side by side. */
  readonly alternating: Set<bigint>;
}

/**
 * Which processes speak with a collector's id. An instance is random for each start, so one that returns after another has
 * replaced it was alive all the time: two processes run with copies of one state.
 */
export class CollectorInstances {
  readonly #collectors = new Map<string, Instances>();

  /** True: this instance and another one run at the same time. */
  seen(collectorId: string, instance: bigint): boolean {
    const known = this.#collectors.get(collectorId) ?? {
      current: instance,
      older: [],
      alternating: new Set(),
    };
    this.#remember(collectorId, known);
    if (known.current === instance) return false;
    const returns = known.older.includes(instance);
    if (returns) known.alternating.add(instance).add(known.current);
    known.older = [...known.older.filter((each) => each !== instance), known.current].slice(-MAX_OLDER);
    known.current = instance;
    return returns;
  }

  /** Whether a stream that `writer` wrote last belongs to another process that runs beside `instance`. */
  isOfAnother(collectorId: string, instance: bigint, writer: bigint | undefined): boolean {
    if (writer === undefined || writer === instance) return false;
    return this.#collectors.get(collectorId)?.alternating.has(writer) === true;
  }

  #remember(collectorId: string, instances: Instances): void {
    this.#collectors.delete(collectorId);
    this.#collectors.set(collectorId, instances);
    const [oldest] = this.#collectors.keys();
    if (this.#collectors.size > MAX_COLLECTORS && oldest !== undefined) this.#collectors.delete(oldest);
  }
}
