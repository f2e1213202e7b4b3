import { z } from 'zod';
import type { Json } from '../records/json.ts';
import { schemaText } from '../runtime/configuration/schema-problems.ts';
import type {
  AggregatorStatus,
  AmountReport,
  CollectorStatus,
  CountReport,
  DeadLetterContent,
  DeadLetterReport,
  EmitterReport,
} from '../runtime/control/control-commands.ts';
import { CommandError } from './command-error.ts';

/** What owners answer, checked: the owner may be of another version. Fields that are new to us are let through. */

const amount = z.object({ records: z.number(), bytes: z.number() });

const emitterBalance = z.object({
  emitter: z.string(),
  before: amount,
  delivered: amount,
  queued: amount,
  deadLettered: amount,
  discarded: amount,
});

const aggregatorStatus: z.ZodType<AggregatorStatus> = z.looseObject({
  role: z.literal('aggregator'),
  accepted: amount,
  emitters: z.array(emitterBalance),
  diskBytes: z.number(),
});

const streamBalance = z.object({
  read: z.number(),
  accepted: z.number(),
  waiting: z.number(),
  unread: z.number(),
});

const collectorStatus = z.looseObject({
  role: z.literal('collector'),
  ...streamBalance.shape,
  lost: z.number().optional(),
  streams: z.array(streamBalance.extend({ stream: z.string(), source: z.string() })).optional(),
}) as unknown as z.ZodType<CollectorStatus>;

const deadLetter: z.ZodType<DeadLetterReport> = amount.extend({
  id: z.string(),
  emitter: z.string(),
  stream: z.string(),
  position: z.number(),
  reason: z.string(),
  rejectedTimeUnixNano: z.string().regex(/^[0-9]+$/),
  replaying: z.boolean(),
});

const emitter: z.ZodType<EmitterReport> = z.object({
  name: z.string(),
  configured: z.boolean(),
  queued: amount,
  deadLettered: amount,
});

export const statusAnswer = answer<AggregatorStatus | CollectorStatus>(
  z.union([aggregatorStatus, collectorStatus]),
);

export const explainAnswer = answer<Readonly<Record<string, Json>>>(z.record(z.string(), z.json()));

export const deadLettersAnswer = answer<readonly DeadLetterReport[]>(z.array(deadLetter));

export const deadLetterContentAnswer = answer<DeadLetterContent>(
  z.object({
    letter: deadLetter,
    format: z.string(),
    resource: z.record(z.string(), z.string()),
    data: z.base64(),
  }),
);

export const countAnswer = answer<CountReport>(z.object({ count: z.number() }));

export const amountAnswer = answer<AmountReport>(amount);

export const emittersAnswer = answer<readonly EmitterReport[]>(z.array(emitter));

function answer<T>(schema: z.ZodType<T>): (value: Json) => T {
  return (value) => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw new CommandError(
      `Cannot read the answer of the process that owns the state (is it of another version?): ${schemaText('answer', result.error)}. Run the same version.`,
    );
  };
}
