import { z } from 'zod';

/** Answers of a collector's operations. Amounts are bytes. */

export const streamBalanceReport = z.object({
  read: z.number().meta({ description: 'read = accepted + waiting.' }),
  accepted: z.number(),
  waiting: z.number().meta({ description: 'Read, and not accepted yet.' }),
  unread: z.number().meta({ description: 'In the files, and not read yet.' }),
});
export type StreamBalanceReport = Readonly<z.infer<typeof streamBalanceReport>>;

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
});
export type CollectorStatus = Readonly<z.infer<typeof collectorStatusReport>>;

/** Another version may know other fields: commands show those, too. */
export const fileExplanation = z.record(z.string(), z.json());
export type FileExplanation = z.infer<typeof fileExplanation>;
