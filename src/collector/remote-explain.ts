import type { Explain, Explanation } from '../records/gen/megacollector/v1/aggregator.ts';
import type { Clock } from '../runtime/clock.ts';
import { HttpError } from '../runtime/http/http-error.ts';
import { explainSubject } from './explain-subject.ts';
import type { Source } from './source.ts';

export interface RemoteExplainOptions {
  readonly sources: () => readonly Pick<Source, 'explain'>[];
  readonly clock: Clock;
}

/**
 * Answers an aggregator how this collector sees a file. An aggregator must not learn about other files of the host, and must
 * not keep the collector busy: one request at a time, within a time, and with an answer of limited size.
 */
export class RemoteExplain {
  readonly #options: RemoteExplainOptions;
  /** Until the sources have answered, also after the time is over: a file system that hangs gets no more requests. */
  #isBusy = false;

  constructor(options: RemoteExplainOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer({ id, subject }: Explain): Promise<Explanation> {
    const refused = (refusal: string): Explanation => ({ id, json: '', refusal });
    if (this.#isBusy) return refused('The collector is still answering an earlier request.');
    if (subject.length > MAX_SUBJECT_CHARACTERS)
      return refused(
        `The path must have at most ${MAX_SUBJECT_CHARACTERS} characters, got ${subject.length}.`,
      );
    const explained = await this.#inTime(this.#explain(subject));
    if ('refusal' in explained) return refused(explained.refusal);
    const bytes = Buffer.byteLength(explained.json);
    if (bytes > MAX_ANSWER_BYTES)
      return refused(`The explanation must have at most ${MAX_ANSWER_BYTES} bytes, got ${bytes}.`);
    return { id, json: explained.json, refusal: '' };
  }

  async #explain(subject: string): Promise<Explained> {
    this.#isBusy = true;
    try {
      return { json: JSON.stringify(await explainSubject(this.#options.sources(), subject, 'aggregator')) };
    } catch (error) {
      const reason = error instanceof HttpError ? error.message : 'The collector failed to explain it.';
      return { refusal: reason };
    } finally {
      this.#isBusy = false;
    }
  }

  #inTime(explained: Promise<Explained>): Promise<Explained> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(WITHIN_MS, () => resolve(TOO_LATE));
      void explained.then((result) => {
        cancel();
        resolve(result);
      });
    });
  }
}

type Explained = { readonly json: string } | { readonly refusal: string };

const MAX_SUBJECT_CHARACTERS = 4096;
/** As the protocol says. */
const MAX_ANSWER_BYTES = 48 * 1024 - 1024;
const WITHIN_MS = 5_000;
const TOO_LATE = {
  refusal: `The collector found no answer within ${WITHIN_MS / 1000} s: a file system may not respond.`,
};
