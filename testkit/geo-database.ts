/** A value in a MaxMind database, as far as the tests need one. */
type GeoValue = string | number | readonly GeoValue[] | { readonly [key: string]: GeoValue };

/** A MaxMind database of IPv4 networks, each with its entry. */
export function geoDatabase(entries: Readonly<Record<string, GeoValue>>): Buffer {
  const data: Buffer[] = [];
  const nodes: [left: number, right: number][] = [[-1, -1]];
  let dataLength = 0;
  for (const [network, value] of Object.entries(entries)) {
    const [address = '', bits = '32'] = network.split('/');
    const number = address.split('.').reduce((all, each) => all * 256 + Number(each), 0);
    const encoded = encode(value);
    insert(nodes, number, Number(bits), dataLength);
    data.push(encoded);
    dataLength += encoded.length;
  }
  const metadata = {
    binary_format_major_version: uint16(2),
    binary_format_minor_version: uint16(0),
    build_epoch: uint64(1_767_225_600),
    database_type: encode('Test-City'),
    description: encode({ en: 'test' }),
    ip_version: uint16(4),
    languages: encode(['en']),
    node_count: uint32(nodes.length),
    record_size: uint16(32),
  };
  const tree = Buffer.alloc(nodes.length * 8);
  for (const [at, pair] of nodes.entries())
    for (const [side, record] of pair.entries())
      tree.writeUInt32BE(recordNumber(record, nodes.length), at * 8 + side * 4);
  const fields = Object.entries(metadata).flatMap(([key, value]) => [encode(key), value]);
  const count = Object.keys(metadata).length;
  return Buffer.concat([
    ...[tree, Buffer.alloc(16), ...data],
    ...[Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), header(MAP, count), ...fields],
  ]);
}

/** Records below -1 are data: -2 is offset 0. -1 is no entry, 0 and more is a node. */
function recordNumber(record: number, nodeCount: number): number {
  if (record === -1) return nodeCount;
  return record >= 0 ? record : nodeCount + 16 + (-record - 2);
}

function insert(nodes: [number, number][], address: number, bits: number, offset: number): void {
  let at = 0;
  for (let bit = 0; bit < bits; bit++) {
    const side = Math.floor(address / 2 ** (31 - bit)) % 2 === 0 ? 0 : 1;
    const node = nodes[at];
    if (node === undefined) return;
    if (bit === bits - 1) node[side] = -2 - offset;
    else {
      if (node[side] < 0) node[side] = nodes.push([-1, -1]) - 1;
      at = node[side];
    }
  }
}

const TEXT = 2;
const DOUBLE = 3;
const UINT16 = 5;
const UINT32 = 6;
const MAP = 7;
const UINT64 = 9;
const LIST = 11;

function header(type: number, size: number): Buffer {
  const first = (type > 7 ? 0 : type) << 5;
  const sized = size < 29 ? [first | size] : [first | 29, size - 29];
  return Buffer.from(type > 7 ? [sized[0] ?? 0, type - 7, ...sized.slice(1)] : sized);
}

function encode(value: GeoValue): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([header(TEXT, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([header(DOUBLE, 8), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([header(LIST, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([
    header(MAP, entries.length),
    ...entries.flatMap(([key, each]) => [encode(key), encode(each)]),
  ]);
}

function uint16(value: number): Buffer {
  return Buffer.concat([header(UINT16, 2), Buffer.from([value >> 8, value & 255])]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return Buffer.concat([header(UINT32, 4), bytes]);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return Buffer.concat([header(UINT64, 8), bytes]);
}
