import {
  PEER_ADDRESS,
  PEER_PORT,
  REPEATED,
  TLS_SUBJECT,
  TRANSPORT,
  TRUNCATED_FROM,
} from '../../../formats/connection-attributes.ts';
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
      [TRANSPORT, transport],
      [PEER_ADDRESS, address],
      [PEER_PORT, port === undefined ? undefined : String(port)],
      [TLS_SUBJECT, subject],
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
