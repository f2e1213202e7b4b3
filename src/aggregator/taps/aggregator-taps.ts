import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { HttpAnswer, HttpRequest } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import { type TapPoints, type TapQuery, tapRequestOf } from '../../tap/tap-request.ts';
import type { Taps } from '../../tap/taps.ts';
import { DELIVERED, FILTERED, INTAKE, placeOf, RECEIVED } from './emitter-places.ts';
import { FilterAtTap } from './filter-at-tap.ts';

export interface AggregatorTapsOptions {
  readonly taps: Taps;
  /** Names. */
  readonly emitters: readonly string[];
  /** The filter that an emitter uses now; undefined: none. */
  readonly filterOf: (emitter: string) => FilterSource | undefined;
}

/** The points of an aggregator: the intake, and each emitter before its filter, after it, and after the delivery. */
export class AggregatorTaps {
  readonly #options: AggregatorTapsOptions;

  constructor(options: AggregatorTapsOptions) {
    this.#options = options;
  }

  get points(): TapPoints {
    const { emitters } = this.#options;
    return {
      points: [
        { point: INTAKE, description: 'Records that the aggregator has accepted, repetitions included.' },
        ...emitters.flatMap((name) => [
          { point: `${name}:${RECEIVED}`, description: 'Records for this emitter, before its filter.' },
          { point: `${name}:${FILTERED}`, description: 'Records for this emitter, after its filter.' },
          { point: `${name}:${DELIVERED}`, description: 'Records that this emitter has delivered.' },
        ]),
      ],
      omitted: 0,
    };
  }

  /** Rejects with HttpError for an unknown point or an invalid expression. */
  async open(query: TapQuery, request: HttpRequest): Promise<HttpAnswer> {
    const { taps } = this.#options;
    const asked = tapRequestOf(query);
    const { place, emitter } = this.#placeOf(query.point);
    const stage = emitter === undefined ? undefined : await this.#filterOf(emitter);
    return taps.open({ ...asked, stage }, (_batch, at) => at === place, request);
  }

  /** `emitter`: the records pass its filter first. */
  #placeOf(point: string): { readonly place: string; readonly emitter?: string } {
    if (point === INTAKE) return { place: INTAKE };
    for (const emitter of this.#options.emitters) {
      if (point === placeOf(emitter, RECEIVED)) return { place: point };
      if (point === `${emitter}:${FILTERED}`) return { place: placeOf(emitter, RECEIVED), emitter };
      if (point === placeOf(emitter, DELIVERED)) return { place: point, emitter };
    }
    throw new HttpError(
      404,
      'not-found',
      `Cannot tap ${point}: this aggregator has no such point. Its points are ${this.points.points.map((each) => each.point).join(', ')}.`,
    );
  }

  async #filterOf(emitter: string): Promise<(batch: RecordBatch) => readonly RecordBatch[]> {
    const filter = new FilterAtTap(emitter, this.#options.filterOf);
    await filter.load();
    return filter.stage;
  }
}
