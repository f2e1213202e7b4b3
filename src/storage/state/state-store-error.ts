/** The state store cannot write, or is closed; `cause` is LMDB's error. Nothing was changed. */
export class StateStoreError extends Error {
  override readonly name = 'StateStoreError';
}
