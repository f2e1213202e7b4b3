/**
 * Why a command failed, reported by the owner or by the transport. `kind` is for programs: `unknown-command`,
 * `invalid-request`, `too-large`, `failed`, `interrupted`, `timeout`, `forbidden`, or a kind of the handler
 * (`not-found`).
 */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}
