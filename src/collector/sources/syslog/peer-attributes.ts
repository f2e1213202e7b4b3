import { RECORD_MARK, TIME_ZONE } from '../../../formats/marker-attributes.ts';
import type { Resource } from '../../../records/resource.ts';
import type { NetworkZone } from './listener-configuration.ts';
import { contains } from './peer-address.ts';

/** The attributes of a sender, and their variants for records with a marker. The same object for the same peer. */
export class PeerAttributes {
  readonly plain: Resource;
  #repeated: Resource | undefined;

  constructor({ transport, address, port, subject, zones }: PeerFacts) {
    const zone = address && zones.find(({ network }) => contains(network, address))?.zone;
    const entries: readonly (readonly [string, string | undefined])[] = [
      ['network.transport', transport],
      [PEER_ADDRESS, address],
      ['network.peer.port', port === undefined ? undefined : String(port)],
      ['tls.client.subject', subject],
      [TIME_ZONE, zone],
    ];
    this.plain = new Map(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  get repeated(): Resource {
    this.#repeated ??= new Map([...this.plain, [REPEATED, 'true']]);
    return this.#repeated;
  }

  with({ isRepeated, isUnterminated, truncatedFrom }: RecordMarkers): Resource {
    const base = isRepeated ? this.repeated : this.plain;
    if (!isUnterminated && truncatedFrom === undefined) return base;
    const marked = new Map(base);
    if (isUnterminated) marked.set(RECORD_MARK, 'unterminated');
    return truncatedFrom === undefined ? marked : marked.set(TRUNCATED_FROM, String(truncatedFrom));
  }
}

export interface PeerFacts {
  readonly transport: string;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly subject?: string | undefined;
  readonly zones: readonly NetworkZone[];
}

export interface RecordMarkers {
  readonly isRepeated?: boolean;
  readonly isUnterminated?: boolean;
  readonly truncatedFrom?: number | undefined;
}

export const PEER_ADDRESS = 'network.peer.address';
/** `true`: the client sent the record again after a broken connection, so it may be stored twice. */
export const REPEATED = 'megacollector.repeated';
/** The size of a message of which the beginning was kept. */
export const TRUNCATED_FROM = 'megacollector.truncated_from';
