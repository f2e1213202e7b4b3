import { ExportLogsServiceResponse } from '../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';

/** The log records of an accepted request that the receiver did not store; 0 and a message is a warning. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

const WHOLE: PartialSuccess = { rejected: 0, message: '' };

/** A body that cannot be read is no reason to send the request again: its status is a success. */
export function partialSuccessOfProtobuf(bytes: Uint8Array): PartialSuccess {
  try {
    return partialSuccessOf(ExportLogsServiceResponse.decode(bytes));
  } catch {
    return WHOLE;
  }
}

export function partialSuccessOf({ partialSuccess }: ExportLogsServiceResponse): PartialSuccess {
  if (partialSuccess === undefined) return WHOLE;
  return {
    rejected: Math.max(0, Number(partialSuccess.rejectedLogRecords)),
    message: partialSuccess.errorMessage,
  };
}

export function partialSuccessOfJson(bytes: Buffer): PartialSuccess {
  try {
    const parsed = JSON.parse(bytes.toString()) as { readonly partialSuccess?: unknown } | null;
    const { rejectedLogRecords, errorMessage } = Object(parsed?.partialSuccess) as Record<string, unknown>;
    const rejected = Number(rejectedLogRecords ?? 0);
    return {
      rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
      message: typeof errorMessage === 'string' ? errorMessage : '',
    };
  } catch {
    return WHOLE;
  }
}
