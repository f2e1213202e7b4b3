import { z } from 'zod';

/** Answers of a collector's operations. Amounts are bytes. */

export const streamBalanceReport = z.object({
  read: z.number().meta({ description: 'read = accepted + waiting.' }),
  accepted: z.number(),
  waiting: z.number().meta({ description: 'Read, and not accepted yet.' }),
  unread: z.number().meta({ description: 'In the files, and not read yet.' }),
});
export type StreamBalanceReport = Readonly<z.infer<typeof streamBalanceReport>>;

/** The order of the streams of `top`. */
export const topStreamsKey = z.enum(['rate', 'backlog', 'lag', 'name']);
export type TopStreamsKey = z.infer<typeof topStreamsKey>;

const topStreamReport = streamBalanceReport.extend({
  stream: z.string(),
  source: z.string(),
  lagSeconds: z.number().optional().meta({ description: 'Age of the oldest byte that is not accepted.' }),
  bytesPerSecond: z.number().optional().meta({ description: 'Accepted, since the previous request.' }),
  recordsPerSecond: z.number().optional().meta({ description: 'Sent, since the previous request.' }),
  catchUpSeconds: z
    .number()
    .optional()
    .meta({ description: 'Until all is accepted, at this rate. Absent: the backlog does not get shorter.' }),
});
export type TopStreamReport = Readonly<z.infer<typeof topStreamReport>>;

const listenerReport = z.object({
  listener: z.string().meta({ description: 'The configured address.' }),
  state: z.enum(['listening', 'closed']),
  address: z.string().optional().meta({ description: 'Where it is listening.' }),
  failure: z.string().optional().meta({ description: 'Why it is closed.' }),
  connections: z.number().optional().meta({ description: 'Open connections.' }),
  senders: z.number().meta({ description: 'Addresses that are connected, or that have sent lately.' }),
  records: z.number().optional().meta({ description: 'Received since the start.' }),
  bytes: z.number().optional(),
  clients: z
    .array(z.object({ address: z.string(), sockets: z.number() }))
    .optional()
    .meta({ description: 'On request: the 100 senders with most sockets.' }),
  dropped: z
    .object({ noRoom: z.number(), kernel: z.number().optional(), thread: z.number().optional() })
    .meta({ description: 'Messages that were lost since the start, by cause.' }),
});
export type ListenerReport = Readonly<z.infer<typeof listenerReport>>;

export const collectorStatusReport = z.looseObject({
  role: z.literal('collector'),
  ...streamBalanceReport.shape,
  lost: z
    .number()
    .optional()
    .meta({ description: 'Gone before they could be read, since the state was created.' }),
  streams: z
    .array(streamBalanceReport.extend({ stream: z.string(), source: z.string() }))
    .optional()
    .meta({ description: 'On request.' }),
  top: z.array(topStreamReport).optional().meta({ description: 'On request: some streams, with rates.' }),
  streamCount: z.number().optional().meta({ description: 'All streams; with `top`.' }),
  sentRecords: z
    .number()
    .optional()
    .meta({ description: 'Since the start, repetitions included; with `top`.' }),
  aggregator: z
    .string()
    .optional()
    .meta({ description: 'The address in use; absent while there is no connection; with `top`.' }),
  listeners: z
    .array(listenerReport)
    .optional()
    .meta({ description: 'The sockets of the sources; absent without sockets.' }),
});
export type CollectorStatus = Readonly<z.infer<typeof collectorStatusReport>>;

/** Another version may know other fields: commands show those, too. */
export const fileExplanation = z.record(z.string(), z.json());
export type FileExplanation = z.infer<typeof fileExplanation>;
