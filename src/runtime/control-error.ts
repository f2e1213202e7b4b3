/**
 * Why a command could not be done, by the owner's word or on the way there. `kind` is for programs: `unknown-command`,
 * `invalid-request`, `too-large`, `failed`, `interrupted`, `timeout`, `forbidden`, or what a handler says (`not-found`).
 */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}
