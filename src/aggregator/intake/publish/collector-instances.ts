/**
 * The processes that use a collector id. An instance is random for each start. An instance that returns after another one
 * has replaced it was running all the time: two processes run with copies of one state directory.
 */
export class CollectorInstances {
  readonly #collectors = new Map<string, Instances>();

  /** Records a call of this instance. True: another instance of this collector id runs at the same time. */
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

  /** Whether `writer`, the last writer of a stream, is another process that runs at the same time as `instance`. */
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

const MAX_COLLECTORS = 10_000;
const MAX_OLDER = 16;

interface Instances {
  current: bigint;
  /** Replaced by a later one, the newest last. */
  older: bigint[];
  /** Instances that returned after they had been replaced, and the instances that they replaced. */
  readonly alternating: Set<bigint>;
}
