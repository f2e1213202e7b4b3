/** The peer broke the protocol or reached a limit: the connection ends with this code. Never leaves `receive`. */
export class Http2Error extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
