import { isIP } from 'node:net';
import type { ListenerStatus } from '../../source.ts';
import { listenText } from './listen-address.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import { contains } from './peer-address.ts';
import { NOT_ALLOWED, type RejectedPeer, type RejectedPeers } from './rejected-peers.ts';

/**
 * Explains the listeners of the source. The subject is `syslog` for all of them, the address of a listener or the path of
 * its socket, or the address of a sender. undefined: the subject is something else.
 */
export function explainListeners(
  subject: string,
  listeners: readonly ExplainedListener[],
): ListenersExplanation | undefined {
  if (isIP(subject) !== 0)
    return { kind: 'sender', sender: subject, listeners: listeners.map((each) => forSender(each, subject)) };
  const named = listeners.filter(
    ({ configuration: { listen } }) =>
      subject === 'syslog' || subject === listenText(listen) || ('path' in listen && subject === listen.path),
  );
  if (named.length > 0) return { kind: 'listeners', listeners: named.map(forAll) };
  if (!ADDRESS.test(subject)) return undefined;
  const names = listeners.map(({ configuration }) => listenText(configuration.listen));
  return {
    kind: 'not-read',
    path: subject,
    reason: `no listener has this address; the listeners are ${names.join(', ')}`,
  };
}

export interface ExplainedListener {
  readonly configuration: ListenerConfiguration;
  readonly status: ListenerStatus;
  readonly rejected: RejectedPeers;
}

/** Sent as JSON. */
export type ListenersExplanation =
  | { readonly kind: 'listeners'; readonly listeners: readonly ListenerExplanation[] }
  | { readonly kind: 'sender'; readonly sender: string; readonly listeners: readonly SenderExplanation[] }
  | { readonly kind: 'not-read'; readonly path: string; readonly reason: string };

interface ListenerExplanation {
  readonly listener: string;
  /** `listening at ADDRESS`, or why not. */
  readonly state: string;
  readonly accepts: string;
  readonly senders: string;
  /** The newest first. */
  readonly rejected: readonly RejectedPeer[];
}

interface SenderExplanation {
  readonly listener: string;
  readonly state: string;
  readonly decision: string;
  readonly sockets: number;
  readonly rejected?: RejectedPeer;
}

function forAll({ configuration, status, rejected }: ExplainedListener): ListenerExplanation {
  const { clients, connections } = status;
  const sockets =
    connections === undefined ? '' : `, ${connections} of ${configuration.maxConnections} connections`;
  return {
    listener: status.listener,
    state: stateOf(status),
    accepts: [
      configuration.allow === undefined ? 'senders of all addresses' : 'senders whose address is in `allow`',
      ...certificateRule(configuration),
    ].join('; '),
    senders: `${clients.length}${sockets}`,
    rejected: rejected.newest.slice(0, MAX_REJECTED),
  };
}

function forSender(
  { configuration, status, rejected }: ExplainedListener,
  sender: string,
): SenderExplanation {
  const { allow, listen } = configuration;
  const isLocal = 'path' in listen;
  const isAllowed = !isLocal && (allow === undefined || contains(allow, sender));
  const reason = isLocal ? 'only local processes can connect' : NOT_ALLOWED;
  const last = rejected.of(sender);
  const { sockets = 0 } = status.clients.find(({ address }) => address === sender) ?? {};
  return {
    listener: status.listener,
    state: stateOf(status),
    decision: isAllowed
      ? ['its address is accepted', ...certificateRule(configuration)].join('; ')
      : `rejected: ${reason}`,
    sockets,
    ...(last !== undefined && { rejected: last }),
  };
}

function stateOf({ state, address, failure }: ListenerStatus): string {
  if (state === 'listening') return `listening at ${address ?? 'its address'}`;
  return `closed: ${failure ?? 'the source is stopping'}`;
}

function certificateRule({ tls }: ListenerConfiguration): readonly string[] {
  if (tls === undefined || tls.clientCertificate === 'none') return [];
  const { clientCertificate, permittedPeers } = tls;
  const of = permittedPeers.length === 0 ? '' : ` of ${permittedPeers.join(', ')}`;
  return [
    clientCertificate === 'required'
      ? `the client must have a certificate${of}`
      : `a certificate of the client is verified, and must be one${of || ' of the authorities'}`,
  ];
}

const ADDRESS = /^[a-z+]+:\/\//;
const MAX_REJECTED = 20;
