import { filteredEmitter } from './decorators/filtered-emitter.ts';
import { guardedEmitter } from './decorators/guarded-emitter.ts';
import { measuredEmitter } from './decorators/measured-emitter.ts';
import type { Emitter, EmitterEnvironment, EmitterType } from './emitter.ts';
import { loadFilter } from './filtering/load-filter.ts';
import { WorkerEmitter } from './worker/worker-emitter.ts';

/** Creates the emitter that delivery calls. */
export async function createEmitter(
  specification: EmitterSpecification,
  /** Node arguments of the thread; default: those of the process. */
  execArgv?: readonly string[],
): Promise<Emitter> {
  const { type, configuration, environment } = specification;
  const emitter = type.inThread
    ? new WorkerEmitter({ type: type.type, configuration, environment, ...(execArgv && { execArgv }) })
    : await createInnerEmitter(specification);
  return decorate(emitter, OUTER_DECORATORS, environment);
}

/** The arguments for creating one configured emitter. */
export interface EmitterSpecification {
  readonly type: EmitterType;
  /** The result of the type's `parse`. */
  readonly configuration: unknown;
  readonly environment: EmitterEnvironment;
}

/** Adds one concern to an emitter and keeps its contract. */
export type EmitterDecorator = (emitter: Emitter, environment: EmitterEnvironment) => Emitter;

/**
 * Every emitter is created here: for delivery by `createEmitter`, and in the thread of an emitter by
 * `createInnerEmitter`. A call passes the decorators from the top to the bottom:
 *
 *     delivery
 *        |
 *     guardedEmitter      turns a throw into `retry`, and logs it
 *     measuredEmitter     observes the duration of `emit`
 *        |
 *     WorkerEmitter       only types with `inThread`: the rest is in a thread of its own
 *        |
 *     filteredEmitter     runs the filter of the emitter
 *        |
 *     the emitter of the type
 */
export const OUTER_DECORATORS: readonly EmitterDecorator[] = [guardedEmitter, measuredEmitter];

/** Creates the part of an emitter that is in its thread, if it has one. */
export async function createInnerEmitter({
  type,
  configuration,
  environment,
}: EmitterSpecification): Promise<Emitter> {
  return filteredEmitter(await type.create(configuration, environment), environment, loadFilter);
}

/** The first decorator is the outermost one. */
export function decorate(
  emitter: Emitter,
  decorators: readonly EmitterDecorator[],
  environment: EmitterEnvironment,
): Emitter {
  return decorators.reduceRight((inner, decorator) => decorator(inner, environment), emitter);
}
