import { ERROR_CODE } from './error-codes.ts';
import { Http2Error } from './http2-error.ts';

/** Faults of a peer that end the connection. */
export const peerFault = {
  sent: (what: string) => new Http2Error(ERROR_CODE.protocolError, `the peer sent ${what}`),
  wrongSize: (frame: string) =>
    new Http2Error(ERROR_CODE.frameSizeError, `the peer sent a ${frame} frame of a wrong size`),
  exceededWindow: (where: string) =>
    new Http2Error(ERROR_CODE.flowControlError, `the peer exceeded the window of ${where}`),
  closedStream: (what: string) =>
    new Http2Error(ERROR_CODE.streamClosed, `the peer sent ${what} on a closed stream`),
};
