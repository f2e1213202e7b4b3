import { LIMITS } from '../../../records/limits.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import { untilAborted } from '../../../runtime/async/until-aborted.ts';
import type { IntakeContext } from '../intake.ts';
import { CollectorInstances } from './collector-instances.ts';
import type { ConnectedCollector } from './connected-collector.ts';
import { MessageMemory } from './message-memory.ts';
import { PublishCall } from './publish-call.ts';
import type { PublishTransport } from './publish-transport.ts';
import { SharedLimit } from './shared-limit.ts';

const BUSY_INTERVAL_MS = 10_000;

/** All Publish calls, whatever their transport: one for each collector, and the state that they share. */
export class PublishCalls {
  readonly #context: IntakeContext;
  readonly #limits: PublishLimits;
  readonly #calls = new Set<PublishCall>();
  readonly #callOfCollector = new Map<string, PublishCall>();
  readonly #openStreams: SharedLimit;
  readonly #instances = new CollectorInstances();
  readonly #memory: MessageMemory;
  #unsubscribe: () => void = () => {};
  readonly #busyTimer: Timer;
  #isStopping = false;

  constructor(context: IntakeContext, limits: PublishLimits = PUBLISH_LIMITS) {
    this.#context = context;
    this.#limits = limits;
    this.#openStreams = new SharedLimit(limits.openStreams);
    this.#memory = new MessageMemory(limits.messagesBytes);
    const { clock, queue } = context;
    this.#busyTimer = new Timer(clock, () => this.#queueChanged(queue.stopped));
  }

  start(): void {
    this.#unsubscribe = this.#context.queue.onStopped((reason) => this.#queueChanged(reason));
  }

  /** A call has begun. */
  accept(transport: PublishTransport): PublishCall {
    const call = new PublishCall(transport, {
      ...this.#context,
      streamsPerCall: this.#limits.streamsPerCall,
      openStreams: this.#openStreams,
      instances: this.#instances,
      memory: this.#memory,
      claim: (claiming, collector) => this.#claim(claiming, collector),
      release: (ended) => this.#release(ended),
    });
    if (this.#isStopping) call.fail('unavailable', SHUTTING_DOWN);
    else this.#calls.add(call);
    return call;
  }

  /** Ends each call after its batches are answered; at the deadline, without their answers. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#unsubscribe();
    this.#busyTimer.cancel();
    const drained = Promise.all([...this.#calls].map((call) => call.drain(SHUTTING_DOWN)));
    await untilAborted(drained, deadline);
    for (const call of [...this.#calls]) call.fail('unavailable', SHUTTING_DOWN);
  }

  /** Makes this the call of its collector, and ends an older one. Returns why it may not be. */
  #claim(call: PublishCall, { owner, instance, peer }: ConnectedCollector): string | undefined {
    const { collectorId, tlsSubject } = owner;
    const older = this.#callOfCollector.get(collectorId);
    if (older !== undefined && older.peer.tlsSubject !== tlsSubject)
      return 'this collector id is connected with another certificate';
    if (this.#instances.seen(collectorId, instance)) this.#context.events.sharedIdentity(peer);
    this.#callOfCollector.set(collectorId, call);
    older?.fail('replaced', 'a newer call of this collector has begun');
    return undefined;
  }

  #release(call: PublishCall): void {
    this.#calls.delete(call);
    const { collectorId } = call.peer;
    if (collectorId !== undefined && this.#callOfCollector.get(collectorId) === call)
      this.#callOfCollector.delete(collectorId);
  }

  /** Reports to all calls; while the queue is stopped, again at intervals. */
  #queueChanged(stopped: string | undefined): void {
    this.#busyTimer.cancel();
    for (const call of this.#calls) call.queueChanged(stopped);
    if (stopped !== undefined) this.#busyTimer.set(BUSY_INTERVAL_MS);
  }
}

export interface PublishLimits {
  /** Streams that are open on one call. */
  readonly streamsPerCall: number;
  /** Streams that are open on all calls together; each costs about 200 bytes. */
  readonly openStreams: number;
  /** Bytes of messages on all calls together, from the beginning of a message until it is processed. */
  readonly messagesBytes: number;
}

export const PUBLISH_LIMITS: PublishLimits = {
  streamsPerCall: LIMITS.streamsPerCall,
  openStreams: 262_144,
  messagesBytes: 64 * 1024 * 1024,
};

const SHUTTING_DOWN = 'shutting down';
