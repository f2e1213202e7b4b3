/** The id of a stream without hyphens, as in a record. */
export function plainStream(id: string): string {
  return id.replaceAll('-', '').toLowerCase();
}
