import { z } from 'zod';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { DeadLetterSummary, DeadLetters } from '../../../storage/queue/queue-contract.ts';
import type { QueueContext } from './queue-context.ts';
import { countReport, type DeadLetterReport, deadLetterContent, deadLetterReport } from './queue-reports.ts';

const filter = z.strictObject({
  emitter: z.string().optional().meta({ description: 'Only the dead letters of this emitter.' }),
});

/** A request without `ids`, `emitter` and `all` selects nothing: it is more likely a mistake than a wish. */
const selection = z
  .strictObject({
    ids: z.array(z.string()).optional().meta({ description: 'The dead letters with these ids.' }),
    emitter: z.string().optional().meta({ description: 'All dead letters of this emitter.' }),
    all: z.literal(true).optional().meta({ description: 'All dead letters.' }),
  })
  .refine((given) => Object.values(given).filter((value) => value !== undefined).length === 1, {
    message: 'expected one of ids, emitter, all',
  });

export const listDeadLetters = operation({
  id: 'listDeadLetters',
  method: 'GET',
  path: '/v1/dead-letters',
  tag: 'dead letters',
  summary: 'List the pieces of batches that an emitter has rejected.',
  access: 'token',
  query: filter,
  status: 200,
  answer: z.object({ deadLetters: z.array(deadLetterReport) }),
  run: async ({ queue }: QueueContext, { query: { emitter } }) => ({
    deadLetters: queue().deadLetters.list(emitter).map(report),
  }),
});

export const getDeadLetter = operation({
  id: 'getDeadLetter',
  method: 'GET',
  path: '/v1/dead-letters/{id}',
  tag: 'dead letters',
  summary: 'Get a dead letter with its records.',
  access: 'token',
  parameters: z.strictObject({ id: z.string().meta({ description: 'As in the list of dead letters.' }) }),
  status: 200,
  answer: deadLetterContent,
  run: async ({ queue }: QueueContext, { parameters: { id } }) => {
    const { deadLetters } = queue();
    const letter = deadLetters.list().find((each) => each.id === id);
    const records = letter === undefined ? undefined : await deadLetters.read(id);
    if (letter === undefined || records === undefined) {
      throw new HttpError(404, 'not-found', `Cannot show dead letter ${id}: it does not exist.`);
    }
    const { format, resource, data } = records;
    return {
      letter: report(letter),
      format,
      resource: Object.fromEntries(resource),
      data: Buffer.from(data).toString('base64'),
    };
  },
});

export const replayDeadLetters = operation({
  id: 'replayDeadLetters',
  method: 'POST',
  path: '/v1/dead-letters/replay',
  tag: 'dead letters',
  summary: 'Send dead letters to their emitter again.',
  access: 'token',
  body: selection,
  status: 200,
  answer: countReport,
  run: async ({ queue }: QueueContext, { body }) => {
    const { deadLetters } = queue();
    return { count: await deadLetters.requestReplay(selected(deadLetters, body)) };
  },
});

export const discardDeadLetters = operation({
  id: 'discardDeadLetters',
  method: 'POST',
  path: '/v1/dead-letters/discard',
  tag: 'dead letters',
  summary: 'Discard dead letters. They are counted as discarded.',
  access: 'token',
  body: selection,
  status: 200,
  answer: countReport,
  run: async ({ queue, deadLettersDiscarded }: QueueContext, { body }) => {
    const { deadLetters } = queue();
    const count = await deadLetters.discard(selected(deadLetters, body));
    deadLettersDiscarded();
    return { count };
  },
});

/** The pieces of batches that an emitter has rejected. */
export const DEAD_LETTER_OPERATIONS: readonly Operation<QueueContext>[] = [
  listDeadLetters,
  getDeadLetter,
  replayDeadLetters,
  discardDeadLetters,
];

function selected(letters: DeadLetters, { ids, emitter }: z.infer<typeof selection>): readonly string[] {
  return ids ?? letters.list(emitter).map(({ id }) => id);
}

function report(letter: DeadLetterSummary): DeadLetterReport {
  return { ...letter, rejectedTimeUnixNano: letter.rejectedTimeUnixNano.toString() };
}
