import type { FilterProgram } from '../../filters/filter-program.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import type { FilterSource } from '../filtering/filter-source.ts';
import { filterStage } from '../filtering/filter-stage.ts';
import { forwardingEmitter } from './forwarding-emitter.ts';
import { stagedEmitter } from './staged-emitter.ts';

/** Compiles a filter and loads its tables. Rejects with the problems of the filter. */
export type LoadFilter = (source: FilterSource, emitter: string) => Promise<FilterProgram>;

type Context = Pick<EmitterContext, 'name' | 'filter' | 'onFilterErrors'>;

/** Runs the filter of the emitter before it. Without a filter, batches pass as they are. */
export async function filteredEmitter(
  emitter: Emitter,
  { name, filter, onFilterErrors }: Context,
  load: LoadFilter,
): Promise<Emitter> {
  let current = await staged(filter);
  let reported = 0;

  async function staged(source: FilterSource | undefined): Promise<Staged> {
    if (source === undefined) return { emitter };
    const program = await load(source, name);
    return { emitter: stagedEmitter(filterStage(program))(emitter), source, program };
  }

  function reportErrors({ source, program }: Staged): void {
    if (source === undefined || program === undefined || program.errors.total === reported) return;
    reported = program.errors.total;
    const { total, byLine, samples } = program.errors;
    onFilterErrors?.({ file: source.file, total, byLine: new Map(byLine), samples: [...samples] });
  }

  return forwardingEmitter(emitter, {
    emit: (batch, signal) => current.emitter.emit(batch, signal),
    flush: async (signal) => {
      reportErrors(current);
      return await emitter.flush(signal);
    },
    useFilter: async (source) => {
      const next = await staged(source);
      reportErrors(current);
      current = next;
      reported = 0;
    },
  });
}

interface Staged {
  readonly emitter: Emitter;
  readonly source?: FilterSource;
  readonly program?: FilterProgram;
}
