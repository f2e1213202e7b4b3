import { type HeaderList, headerOf } from '../http2/header-list.ts';
import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';
import { parseTimeout } from './grpc-timeout.ts';

/** How the headers of a call are answered. */
export type GrpcServerRequest =
  | { readonly kind: 'call'; readonly path: string; readonly timeoutMs: number | undefined }
  /** The peer speaks gRPC. */
  | { readonly kind: 'refused'; readonly status: GrpcStatus }
  /** The peer does not speak gRPC: an answer of HTTP. */
  | { readonly kind: 'not-grpc'; readonly headers: HeaderList };

/** Checks the headers that a server needs, as the specification of gRPC over HTTP/2 describes it. */
export function readRequest(headers: HeaderList): GrpcServerRequest {
  if (headerOf(headers, ':method') !== 'POST')
    return { kind: 'not-grpc', headers: [status(405), ['allow', 'POST']] };
  if (!CONTENT_TYPE.test(headerOf(headers, 'content-type') ?? ''))
    return { kind: 'not-grpc', headers: [status(415), ['accept-post', 'application/grpc']] };
  const encoding = headerOf(headers, 'grpc-encoding') ?? 'identity';
  if (encoding !== 'identity')
    return refused(GRPC_STATUS.unimplemented, `the compression "${encoding}" is not supported`);
  const timeout = headerOf(headers, 'grpc-timeout');
  const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
  if (timeout !== undefined && timeoutMs === undefined)
    return refused(GRPC_STATUS.internal, 'the header grpc-timeout is invalid');
  return { kind: 'call', path: headerOf(headers, ':path') ?? '', timeoutMs };
}

const CONTENT_TYPE = /^application\/grpc(?:\+proto)?(?:$|[ ;])/i;

const status = (code: number) => [':status', String(code)] as const;

function refused(code: number, message: string): GrpcServerRequest {
  return { kind: 'refused', status: { code, message } };
}
