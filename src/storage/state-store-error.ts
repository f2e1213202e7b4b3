/** The state store could not write, or is closed; `cause` is what LMDB said. Nothing was changed. */
export class StateStoreError extends Error {
  override readonly name = 'StateStoreError';
}
