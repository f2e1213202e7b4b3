/** A request that is not valid. The message is for the client: it names the fault, and contains no value. */
export class PushFault extends Error {
  override readonly name = 'PushFault';
}
