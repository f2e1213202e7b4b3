/** The bytes are not journal export. The reader of a stream must begin again at a known entry. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}
