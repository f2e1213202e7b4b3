/** A field of an RFC 5424 header: printable ASCII without blanks, never empty. */
export function headerField(text: string, maxLength: number): string {
  const clean = text.slice(0, maxLength).replace(/[^\x21-\x7e]/g, '_');
  return clean === '' ? '-' : clean;
}

/** Maximum lengths of RFC 5424, section 6. */
export const LONGEST = { host: 255, app: 48, processId: 128, messageId: 32, sdName: 32 } as const;
