import { z } from 'zod';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { QueueContext } from './queue-context.ts';
import { aggregatorStatusReport, amountReport, emitterReport } from './queue-reports.ts';

const byName = z.strictObject({ name: z.string() });

export const getStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/v1/status',
  tag: 'queue',
  summary:
    'Get the balance of the queue: accepted = delivered + filtered + queued + dead-lettered + discarded.',
  status: 200,
  answer: aggregatorStatusReport,
  run: async ({ queue, filterStatuses, live }: QueueContext) => {
    const { accepted, diskBytes, ...balance } = queue().balance();
    const { emitters: emitterReports, ...report } = (await live?.()) ?? {};
    const emitters = balance.emitters.map((each) => ({ ...each, ...emitterReports?.get(each.emitter) }));
    const status = { role: 'aggregator' as const, accepted, emitters, diskBytes, ...report };
    const filters = filterStatuses?.();
    if (filters === undefined) return status;
    return { ...status, filters: filters.map((each) => ({ ...each, problems: [...each.problems] })) };
  },
});

export const listEmitters = operation({
  id: 'listEmitters',
  method: 'GET',
  path: '/v1/emitters',
  tag: 'queue',
  summary: 'List the emitters that the state knows.',
  status: 200,
  answer: z.object({ emitters: z.array(emitterReport) }),
  run: async ({ queue, configuredEmitters }: QueueContext) => ({
    emitters: queue()
      .knownEmitters()
      .map(({ name, queued, deadLettered }) => ({
        name,
        configured: configuredEmitters.has(name),
        queued,
        deadLettered,
      })),
  }),
});

export const forgetEmitter = operation({
  id: 'forgetEmitter',
  method: 'DELETE',
  path: '/v1/emitters/{name}',
  tag: 'queue',
  summary: 'Discard the queued records, the dead letters and the state of an emitter.',
  access: 'owner',
  parameters: byName,
  status: 204,
  errors: [409],
  run: async ({ queue, configuredEmitters }: QueueContext, { parameters: { name } }) => {
    if (configuredEmitters.has(name)) {
      throw new HttpError(
        409,
        'in-use',
        `Cannot forget emitter ${name}: it is configured. Remove it from the configuration first.`,
      );
    }
    if (!(await queue().forgetEmitter(name))) {
      throw new HttpError(404, 'not-found', `Cannot forget emitter ${name}: it does not exist.`);
    }
  },
});

export const skipEntry = operation({
  id: 'skipEntry',
  method: 'POST',
  path: '/v1/emitters/{name}/skip',
  tag: 'queue',
  summary: 'Discard the damaged entry of the queue at which an emitter has stopped.',
  access: 'owner',
  parameters: byName,
  status: 200,
  answer: amountReport,
  errors: [409],
  run: async ({ queue, entrySkipped }: QueueContext, { parameters: { name } }) => {
    if (
      !queue()
        .knownEmitters()
        .some((emitter) => emitter.name === name)
    ) {
      throw new HttpError(404, 'not-found', `Cannot skip an entry of emitter ${name}: it does not exist.`);
    }
    const lost = await queue().skipCorruptEntry(name);
    if (lost === undefined) {
      throw new HttpError(
        409,
        'not-damaged',
        `Cannot skip an entry of emitter ${name}: its next entry is not damaged.`,
      );
    }
    entrySkipped(name);
    return lost;
  },
});

/** The balance of the queue, and its emitters. */
export const QUEUE_OPERATIONS: readonly Operation<QueueContext>[] = [
  getStatus,
  listEmitters,
  forgetEmitter,
  skipEntry,
];
