import { OtlpFault } from '../../../protocols/otlp/otlp-fault.ts';
import type { ExportLogsServiceResponse } from '../../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import { LIMITS } from '../../../records/limits.ts';
import type { OtlpListenerOptions } from './otlp-listener.ts';

/** The answer to a request, for each transport to encode. */
export type ExportAnswer =
  | { readonly kind: 'accepted'; readonly response: ExportLogsServiceResponse }
  | { readonly kind: 'retry'; readonly message: string; readonly afterMs: number }
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'invalid'; readonly message: string };

/** Clients add jitter. */
const RETRY_AFTER_MS = 1000;

/** Stores a request and reports the outcome. `request`: an `ExportLogsServiceRequest`, or how to get it. */
export async function answerExport(
  request: () => Uint8Array,
  peer: string,
  { intake, events, listener }: Pick<OtlpListenerOptions, 'intake' | 'events' | 'listener'>,
): Promise<ExportAnswer> {
  try {
    const before = intake.received;
    const accepted = intake.accept(request());
    const after = intake.received;
    const acceptance = await accepted;
    if (acceptance.kind === 'stopped')
      return { kind: 'unavailable', message: 'The collector is stopping. Retry the request.' };
    if (acceptance.kind === 'full') {
      events.full({ listener });
      return {
        kind: 'retry',
        message: 'There is no room for the log records. Retry the request.',
        afterMs: RETRY_AFTER_MS,
      };
    }
    events.received({
      listener,
      records: after.records - before.records,
      bytes: after.bytes - before.bytes,
    });
    if (acceptance.tooLarge > 0) events.tooLarge({ listener, records: acceptance.tooLarge });
    return { kind: 'accepted', response: responseOf(acceptance.tooLarge) };
  } catch (error) {
    if (!(error instanceof OtlpFault)) throw error;
    events.invalid({ listener, peer, reason: error.message });
    return { kind: 'invalid', message: error.message };
  }
}

function responseOf(tooLarge: number): ExportLogsServiceResponse {
  if (tooLarge === 0) return { partialSuccess: undefined };
  const errorMessage = `Rejected ${tooLarge} log records: a log record with its resource and scope must be at most ${LIMITS.recordBytes} bytes.`;
  return { partialSuccess: { rejectedLogRecords: BigInt(tooLarge), errorMessage } };
}
