import type { Hello } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { StreamOwner } from '../../../storage/queue/queue-contract.ts';
import type { ExplainSupport } from '../activity/collector-register.ts';
import type { CallPeer } from '../events.ts';
import type { CallFailure } from './publish-transport.ts';
import { PROTOCOL_VERSION } from './welcome.ts';

/** The collector of a call, after its hello message. */
export interface ConnectedCollector {
  readonly owner: StreamOwner;
  /** Random for each start of the collector. */
  readonly instance: bigint;
  /** The process that used the state of this collector before. */
  readonly previousInstance: bigint | undefined;
  readonly peer: CallPeer;
  readonly host: string;
  /** Name and version. */
  readonly software: string;
  readonly wantsUndelivered: boolean;
  /** Whether it explains files to this aggregator. */
  readonly explains: ExplainSupport;
}

export type HelloResult =
  | ({ readonly kind: 'collector' } & ConnectedCollector)
  | { readonly kind: 'failure'; readonly failure: CallFailure; readonly reason: string };

const COLLECTOR_ID_BYTES = 16;
const MAX_CHARACTERS = 255;

export function connectedCollector(
  {
    collectorId: id,
    instance,
    previousInstance,
    protocolVersion,
    wantsUndelivered = false,
    explains,
    ...hello
  }: Hello,
  peer: CallPeer,
): HelloResult {
  if (protocolVersion !== PROTOCOL_VERSION) {
    const reason = `the aggregator has protocol version ${PROTOCOL_VERSION}, the collector ${protocolVersion}`;
    return { kind: 'failure', failure: 'wrong-version', reason };
  }
  if (id.length !== COLLECTOR_ID_BYTES) {
    const reason = `collector_id must be ${COLLECTOR_ID_BYTES} bytes, got ${id.length}`;
    return { kind: 'failure', failure: 'protocol-broken', reason };
  }
  const collectorId = id.toString('hex');
  const host = hello.host.slice(0, MAX_CHARACTERS);
  return {
    kind: 'collector',
    owner: { collectorId, tlsSubject: peer.tlsSubject },
    instance,
    previousInstance,
    peer: { ...peer, collectorId, host },
    host,
    software: hello.software.slice(0, MAX_CHARACTERS),
    wantsUndelivered,
    explains: supportOf(explains),
  };
}

function supportOf(explains: boolean | undefined): ExplainSupport {
  if (explains === undefined) return 'unsupported';
  return explains ? 'offered' : 'refused';
}
