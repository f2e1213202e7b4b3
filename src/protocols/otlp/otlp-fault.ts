/** A request that is not valid OTLP. The message is for the client: it names the fault, and contains no value. */
export class OtlpFault extends Error {
  override readonly name = 'OtlpFault';
}
