import { GRPC_STATUS, type GrpcStatus } from '../../protocols/grpc/grpc-status.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Endpoint, formatAddress } from '../../runtime/configuration/address.ts';
import type { ConnectionFailure, ConnectionTrial } from '../../runtime/connection-trial.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { GrpcClient } from '../../transport/grpc/grpc-client.ts';
import { SocketTransport } from '../../transport/socket-transport.ts';
import { tryStream } from '../../transport/try-transport.ts';
import { conciseReason } from './concise-reason.ts';

const WITHIN_MS = 10_000;
const SERVICE = 'megacollector.v1.Aggregator';
const CHECK = '/grpc.health.v1.Health/Check';

/** Connects, and requests the health of the aggregator over a connection like that for records. */
export async function tryAggregator(
  address: Endpoint,
  {
    tls,
    clock,
    signal,
  }: { readonly tls: TlsMaterial | undefined; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  const target = `the aggregator ${formatAddress(address)}`;
  const failure =
    (await connectionFailure(address, { tls, clock, signal })) ??
    (await healthFailure(address, { tls, clock }));
  return failure === undefined ? { target } : { target, failure };
}

/** gRPC reports little about a connection that fails: a plain one is tried first. */
async function connectionFailure(
  address: Endpoint,
  { tls, clock, signal }: Parameters<typeof tryAggregator>[1],
): Promise<ConnectionFailure | undefined> {
  if ('socketPath' in address) return undefined;
  const { host, port } = address;
  const options = { clock, connectTimeoutMs: WITHIN_MS };
  const transport =
    tls === undefined
      ? SocketTransport.tcp(host, port, options)
      : SocketTransport.tls(host, port, { ...clientOptions(tls), alpnProtocols: ['h2'] }, options);
  const failure = await tryStream(transport, signal);
  if (failure?.reason.includes('connection refused')) return { ...failure, remedy: START };
  return failure?.reason.startsWith('TLS: ') ? { ...failure, remedy: CERTIFICATES } : failure;
}

const CERTIFICATES =
  'Check that COLLECTOR_TLS and AGGREGATOR_TLS agree, and that COLLECTOR_TLS_CA_CERTIFICATE is the authority of the aggregator';
const START = 'Start the aggregator (mega-collector aggregator), or correct the address';

function clientOptions({ certificate, key, caCertificate: ca }: TlsMaterial) {
  return { certificate, key, ca };
}

async function healthFailure(
  endpoint: Endpoint,
  options: { readonly tls: TlsMaterial | undefined; readonly clock: Clock },
): Promise<ConnectionFailure | undefined> {
  const client = new GrpcClient({ endpoint, ...options, maxMessageBytes: 1024, userAgent: 'mega-collector' });
  try {
    const { answer, status } = await checkHealth(client);
    if (status.code !== GRPC_STATUS.ok) return failureOf(status);
    return answer?.equals(SERVING) === true ? undefined : NOT_SERVING;
  } finally {
    client.close();
  }
}

const NOT_SERVING: ConnectionFailure = {
  reason: 'it accepts no records now',
  remedy: 'Look at its log, or at /health/ready',
};

interface HealthAnswer {
  readonly answer: Buffer | undefined;
  readonly status: GrpcStatus;
}

/** The messages of `grpc.health.v1` have one field each: the name of the service, and the status. */
function checkHealth(client: GrpcClient): Promise<HealthAnswer> {
  const name = Buffer.from(SERVICE);
  return new Promise((resolve) => {
    let answer: Buffer | undefined;
    const receiver = {
      message: (bytes: Buffer) => {
        answer = bytes;
      },
      closed: (status: GrpcStatus) => resolve({ answer, status }),
    };
    const call = client.call(CHECK, receiver, { timeoutMs: WITHIN_MS });
    call.send([Buffer.from([0x0a, name.length]), name]);
    call.end();
  });
}

const SERVING = Buffer.from([0x08, 0x01]);

function failureOf({ code, message }: GrpcStatus): ConnectionFailure {
  if (code === GRPC_STATUS.unimplemented || code === GRPC_STATUS.notFound)
    return { reason: 'it is another gRPC server', remedy: 'Correct the address of the aggregator' };
  const reason =
    code === GRPC_STATUS.deadlineExceeded
      ? `no answer to a gRPC request within ${WITHIN_MS / 1000} s`
      : `it does not answer a gRPC request: ${conciseReason(message)}`;
  return { reason, remedy: NO_GRPC };
}

/** The connection was accepted. */
const NO_GRPC =
  'Check that this is the port for collectors, that COLLECTOR_TLS and AGGREGATOR_TLS agree, and that the aggregator trusts the authority of COLLECTOR_TLS_CERTIFICATE';
