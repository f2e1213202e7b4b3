/**
 * The offers of an `open` command and its response: lines of `name[=value[,value]*]`. Real peers send them
 * without a leading LF, although the grammar of the specification has one; both are accepted.
 */
export type Offers = ReadonlyMap<string, readonly string[]>;

/** Returns undefined when a line is too long to be an offer. */
export function parseOffers(data: Uint8Array): Offers | undefined {
  const offers = new Map<string, readonly string[]>();
  for (const line of Buffer.from(data).toString('latin1').split('\n')) {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? '' : text.slice(equals + 1);
    if (name.length > MAX_NAME || value.length > MAX_VALUE || offers.size >= MAX_OFFERS) return undefined;
    offers.set(name, value === '' ? [] : value.split(','));
  }
  return offers;
}

/** The offers of this program. Every real peer uses version 0, although the specification has version 1. */
export function encodeOffers(softwareVersion: string): string {
  return `relp_version=0\nrelp_software=mega-collector,${softwareVersion},https://www.npmjs.com/package/mega-collector\ncommands=syslog\n`;
}

/** Returns why this program cannot talk to a peer with these offers; undefined when it can. */
export function refusalOf(offers: Offers | undefined): string | undefined {
  if (offers === undefined) return 'invalid offers';
  const version = offers.get('relp_version')?.[0];
  if (version !== undefined && version !== '0' && version !== '1') return 'unsupported relp_version';
  return offers.get('commands')?.includes('syslog') === true
    ? undefined
    : 'required command not supported by client';
}

const MAX_NAME = 32;
const MAX_VALUE = 255;
const MAX_OFFERS = 64;
