import { ERROR_CODE, errorName } from '../http2/error-codes.ts';
import { type HeaderList, headerOf } from '../http2/header-list.ts';
import type { StreamEnd } from '../http2/stream-receiver.ts';
import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';
import { decodeStatusMessage } from './status-message.ts';

/** The status in trailers. */
export function statusOfTrailers(list: HeaderList): GrpcStatus {
  const text = headerOf(list, 'grpc-status');
  if (text === undefined)
    return { code: GRPC_STATUS.unknown, message: 'the call ended without a status of gRPC' };
  const code = /^[0-9]{1,3}$/.test(text) ? Number(text) : GRPC_STATUS.unknown;
  return { code, message: decodeStatusMessage(headerOf(list, 'grpc-message') ?? '') };
}

/** Why response headers are not those of gRPC; undefined when they are. */
export function statusOfResponse(list: HeaderList): GrpcStatus | undefined {
  const httpStatus = headerOf(list, ':status') ?? '';
  const type = headerOf(list, 'content-type') ?? '';
  if (httpStatus !== '200') {
    const code = HTTP_STATUS[httpStatus] ?? GRPC_STATUS.unknown;
    return { code, message: `the server answered with the HTTP status ${httpStatus}` };
  }
  if (/^application\/grpc(?:[+;]|$)/.test(type)) return undefined;
  return {
    code: GRPC_STATUS.unknown,
    message: `the server does not speak gRPC: its content type is "${type}"`,
  };
}

/** The status of a call whose stream ended without trailers. */
export function statusOfEnd(end: StreamEnd): GrpcStatus {
  switch (end.kind) {
    case 'reset':
      return {
        code: RESET[end.code] ?? GRPC_STATUS.internal,
        message: `the server ended the call with RST_STREAM (${errorName(end.code)})`,
      };
    case 'cancelled':
      return { code: RESET[end.code] ?? GRPC_STATUS.internal, message: end.reason };
    case 'unprocessed':
    case 'disconnected':
      return { code: GRPC_STATUS.unavailable, message: end.reason };
    case 'complete':
      return statusOfTrailers([]);
  }
}

/** "HTTP to gRPC Status Code Mapping" of gRPC. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  400: GRPC_STATUS.internal,
  401: GRPC_STATUS.unauthenticated,
  403: GRPC_STATUS.permissionDenied,
  404: GRPC_STATUS.unimplemented,
  429: GRPC_STATUS.unavailable,
  502: GRPC_STATUS.unavailable,
  503: GRPC_STATUS.unavailable,
  504: GRPC_STATUS.unavailable,
};

/** "HTTP2 Transport Mapping" of gRPC; others are INTERNAL. */
const RESET: Readonly<Record<number, number>> = {
  [ERROR_CODE.refusedStream]: GRPC_STATUS.unavailable,
  [ERROR_CODE.cancel]: GRPC_STATUS.cancelled,
  [ERROR_CODE.enhanceYourCalm]: GRPC_STATUS.resourceExhausted,
  [ERROR_CODE.inadequateSecurity]: GRPC_STATUS.permissionDenied,
};
