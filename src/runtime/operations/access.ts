/**
 * The proof that an operation needs from its caller, from the weakest to the strongest:
 *
 *     machine   any program on this machine; with a token configured, a client with the token
 *     token     a client with the token
 *     owner     the user of the process, or root: over the Unix socket of the state directory
 *
 * The rule for a new operation:
 *
 *   - `owner`, if it discards records that no emitter has rejected, or state that cannot be created again;
 *   - `token`, if it shows records that are in no store, or sends or discards records that an emitter has
 *     rejected;
 *   - `machine` otherwise.
 *
 * All operations of a collector are `owner`: they show paths of files, and a collector has no token. What it explains to an
 * aggregator, it decides itself.
 *
 * A caller with a stronger proof may call everything that needs a weaker one.
 */
export type Access = 'machine' | 'token' | 'owner';

const STRENGTH: Readonly<Record<Access, number>> = { machine: 0, token: 1, owner: 2 };

export function isAllowed(needed: Access, proven: Access): boolean {
  return STRENGTH[proven] >= STRENGTH[needed];
}
