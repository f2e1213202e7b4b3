/** Sends requests to one receiver. */
export interface ExportClient {
  /** For reasons. */
  readonly target: string;
  /** Sends an encoded request. Never rejects. */
  send(body: Buffer, signal: AbortSignal): Promise<ExportResult>;
  close(): void;
}

/** The result of a request. Reasons are for operators and contain no secret. */
export type ExportResult =
  /** `rejected`: log records that the receiver did not store. */
  | { readonly kind: 'accepted'; readonly rejected: number; readonly message: string }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number | undefined }
  /** The receiver never accepts this content. */
  | { readonly kind: 'rejected'; readonly reason: string };

/** A receiver cannot fill logs with its answers. */
const MAX_MESSAGE = 500;

/** A text of a receiver, for operators. Each header of the configuration may be a secret that the receiver repeats. */
export function safeMessage(text: string, headers: Readonly<Record<string, string>>): string {
  let safe = text;
  for (const value of Object.values(headers)) {
    const secret = value.replace(/^(Basic|Bearer|Token|ApiKey) /i, '');
    if (secret.length >= 4) safe = safe.replaceAll(secret, '***');
  }
  return safe.replace(/\s+/g, ' ').trim().slice(0, MAX_MESSAGE);
}
