/**
 * The processes that use a collector id. An instance is random for each start. An instance that returns after another one
 * has replaced it was running all the time: two processes run with copies of one state directory.
 */
export class CollectorInstances {
  readonly #collectors = new Map<string, Instances>();
  #calls = 0;

  /** Records a call of this instance. True: another instance of this collector id runs at the same time. */
  seen(collectorId: string, instance: bigint): boolean {
    const known: Instances = this.#collectors.get(collectorId) ?? {
      current: instance,
      older: [],
      alternating: new Set(),
      calls: new Map(),
    };
    this.#remember(collectorId, known);
    this.#count(known, instance);
    if (known.current === instance) return false;
    const returns = known.older.includes(instance);
    if (returns) known.alternating.add(instance).add(known.current);
    known.older = [...known.older.filter((each) => each !== instance), known.current].slice(-MAX_OLDER);
    known.current = instance;
    return returns;
  }

  /**
   * Whether `writer`, the last writer of a stream, is another process that runs at the same time as this collector.
   * The process that used its state before it is not, unless that process has called since the collector started: then
   * the state of the collector is a copy.
   */
  isOfAnother(
    collectorId: string,
    {
      instance,
      previousInstance,
    }: { readonly instance: bigint; readonly previousInstance: bigint | undefined },
    writer: bigint | undefined,
  ): boolean {
    const known = this.#collectors.get(collectorId);
    if (known === undefined || writer === undefined || writer === instance) return false;
    if (!known.alternating.has(writer)) return false;
    const startedAt = known.calls.get(instance)?.first ?? 0;
    return writer !== previousInstance || (known.calls.get(writer)?.last ?? startedAt) >= startedAt;
  }

  #count({ calls }: Instances, instance: bigint): void {
    const call = ++this.#calls;
    calls.set(instance, { first: calls.get(instance)?.first ?? call, last: call });
    const [oldest] = calls.keys();
    if (calls.size > MAX_OLDER && oldest !== undefined && oldest !== instance) calls.delete(oldest);
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
  /** The numbers of the first and the last call of an instance, over all collectors. */
  readonly calls: Map<bigint, { readonly first: number; readonly last: number }>;
}
