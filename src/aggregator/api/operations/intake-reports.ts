import { z } from 'zod';

/** Answers of the operations on the intake. 64-bit numbers are JSON numbers, times are RFC 3339. */

const listenerReport = z.object({
  name: z.string().meta({ description: 'The configured address.' }),
  address: z.string().meta({ description: 'Where it is listening; empty: it is closed.' }),
  protocol: z.string(),
  clients: z.number().meta({ description: 'Senders that are connected, or that have sent lately.' }),
  records: z.number().meta({ description: 'Received since the start of the collector.' }),
  bytes: z.number(),
  dropped: z.number().meta({ description: 'Messages that the collector lost since its start.' }),
  kernelDropped: z.number().meta({ description: 'Messages that the kernel lost before the collector.' }),
  senders: z
    .array(z.object({ address: z.string(), sockets: z.number() }))
    .meta({ description: 'The senders with most sockets; not all of them.' }),
});

export const collectorReport = z.object({
  id: z.string(),
  host: z.string(),
  version: z.string(),
  address: z.string().meta({ description: 'From which it connected last.' }),
  connected: z.boolean(),
  since: z.iso.datetime().meta({ description: 'When the connection began, or ended.' }),
  lastSeen: z.iso.datetime().meta({ description: 'When its last message arrived.' }),
  acceptedBytes: z
    .number()
    .meta({ description: 'Record bytes accepted since the start of the aggregator, repetitions included.' }),
  explains: z.enum(['offered', 'refused', 'unsupported']).meta({
    description:
      'Whether it answers the operation explainCollectorFile; refused by its operator, or not supported by its version.',
  }),
  reports: z.boolean().meta({
    description: 'The collector reports its state. false: the following values are not known.',
  }),
  streams: z.number(),
  lagBytes: z.number().meta({ description: 'Bytes of its sources that are not accepted.' }),
  queuedBytes: z.number().meta({ description: 'The part of them that was read: its journals.' }),
  lostBytes: z.number().meta({ description: 'Bytes that were gone before they could be read.' }),
  listeners: z.array(listenerReport),
  problems: z.array(z.string()),
});
export type CollectorReport = z.infer<typeof collectorReport>;

export const streamReport = z.object({
  stream: z.string(),
  collector: z.string().meta({ description: 'The id of its collector.' }),
  resource: z.record(z.string(), z.string()),
  format: z.string(),
  acceptedBytes: z.number().meta({ description: 'Bytes that the ledger has, since the stream began.' }),
  lastSeen: z.iso.datetime().meta({ description: 'When its newest batch was accepted.' }),
  records: z
    .number()
    .optional()
    .meta({ description: 'Accepted since the start of the aggregator, repetitions included.' }),
  recordsPerSecond: z
    .number()
    .optional()
    .meta({ description: 'Accepted since the previous request with `sort=rate`; only in its answer.' }),
  bytesPerSecond: z.number().optional(),
});
export type StreamReport = z.infer<typeof streamReport>;
