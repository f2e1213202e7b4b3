import { z } from 'zod';

/** The parts of the status that only a running aggregator knows. */

export const emitterLiveReport = z.object({
  state: z.enum(['running', 'retrying', 'holding', 'failed', 'stopped']).meta({
    description:
      'retrying: the last attempt failed. holding: the retries are used up, or an operator must act; it keeps trying. ' +
      'failed: it needs a restart.',
  }),
  lagSeconds: z.number().meta({ description: 'Age of the oldest undelivered record; 0: there is none.' }),
  recordsPerSecond: z.number().meta({ description: 'Delivered, over the last minute.' }),
  catchUpSeconds: z.number().optional().meta({
    description:
      'Until its queue is empty, at the rate of the last minute. Absent: the queue does not get shorter.',
  }),
  problem: z.string().optional().meta({ description: 'Why delivery fails.' }),
});
export type EmitterLiveReport = Readonly<z.infer<typeof emitterLiveReport>>;

const intakeReport = z.object({
  recordsPerSecond: z.number().meta({ description: 'Accepted, over the last minute.' }),
  bytesPerSecond: z.number(),
  collectors: z.number().meta({ description: 'Connected now.' }),
  streams: z.number().meta({ description: 'With records since the start of the aggregator.' }),
});

const diskReport = z.object({
  path: z.string().meta({ description: 'The state directory.' }),
  usedBytes: z.number().meta({ description: 'By the queue and its index.' }),
  freeBytes: z.number().nullable().meta({ description: 'On the disk; null: unknown.' }),
  limitBytes: z.number().meta({ description: 'Of the queue: AGGREGATOR_QUEUE_MAX_BYTES.' }),
});

const healthReport = z.object({
  status: z.enum(['ok', 'degraded']),
  problems: z.array(z.string()),
});

const pagerDutyReport = z.object({
  configured: z.boolean().meta({ description: 'false: incidents are only logged.' }),
  openIncidents: z
    .array(z.object({ key: z.string(), summary: z.string(), since: z.iso.datetime() }))
    .meta({ description: 'At most 100.' }),
  lastError: z
    .string()
    .nullable()
    .meta({ description: 'Why the last event could not be sent; null: it was sent.' }),
});

export const liveReportShape = {
  intake: intakeReport.optional(),
  disk: diskReport.optional(),
  health: healthReport.optional(),
  pagerduty: pagerDutyReport.optional(),
};

export interface LiveReport {
  /** By name. */
  readonly emitters: ReadonlyMap<string, EmitterLiveReport>;
  readonly intake: z.infer<typeof intakeReport>;
  readonly disk: z.infer<typeof diskReport>;
  readonly health: z.infer<typeof healthReport>;
  readonly pagerduty: z.infer<typeof pagerDutyReport>;
}
