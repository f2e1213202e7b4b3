import { endianness } from 'node:os';
import { LMDB_PAGE_BYTES } from './lmdb-room.ts';

/**
 * /* How lmdb 3.5.6 (format 2 of `mdb.c`) lays out its file, as far as it has to be read to be checked. All
 * numbers are little-endian, as on the machines with 64 bits that `canReadLayout` names.
 *
 *     page     0 number, 8 transaction, 16 pad, 18 flags, 20 lower, 22 upper (an overflow page: 20 count of pages)
 *              24 pointers to nodes (2 bytes each, relative to 24) ... free ... nodes
 *     node     0 size of the value (4), 4 flags, 6 size of the key, 8 key, value; in a branch the first six bytes are
 *              the number of the page below
 *     meta     24 magic, 28 version, 32 address, 40 size of the map, 48 tree of free pages, 96 main tree,
 *              144 last page, 152 transaction
 *     tree     0 pad (page size), 4 flags, 6 depth, 8 branch pages, 16 leaf pages, 24 overflow pages, 32 entries, 40 root
 */
export const PAGE_HEADER_BYTES = 24;
export const NODE_HEADER_BYTES = 8;
export const META = { magic: 0xbeefc0de, version: 2, flag: 0x08 } as const;
export const PAGE_FLAGS = { branch: 0x01, leaf: 0x02, overflow: 0x04 } as const;
/** The value of a node is on overflow pages. */
export const BIG_DATA = 0x01;
/** Number, transaction and count of the overflow pages. */
export const BIG_DATA_BYTES = 24;

const SMALL_OR_OTHER_ENDED = ['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'];

/** The layout depends on the machine; for that of another one only the magic number is checked. */
export function canReadLayout(): boolean {
  return endianness() === 'LE' && !SMALL_OR_OTHER_ENDED.includes(process.arch);
}

/** Above any valid value; a damaged number often is. */
export const NO_PAGE = 2 ** 48;

/** A 64-bit number that is small in a sound file; `NO_PAGE` for larger ones. */
export function numberAt(bytes: Buffer, offset: number): number {
  const value = bytes.readBigUInt64LE(offset);
  return value < BigInt(NO_PAGE) ? Number(value) : NO_PAGE;
}

export interface TreeHead {
  readonly pad: number;
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** `NO_PAGE`: the tree is empty. */
  readonly root: number;
}

export interface MetaPage {
  readonly number: number;
  readonly flags: number;
  readonly magic: number;
  readonly version: number;
  readonly address: number;
  readonly mapBytes: number;
  readonly freePages: TreeHead;
  readonly main: TreeHead;
  readonly lastPage: number;
  readonly transaction: number;
}

export function readMetaPage(page: Buffer): MetaPage {
  return {
    number: numberAt(page, 0),
    flags: page.readUInt16LE(18),
    magic: page.readUInt32LE(24),
    version: page.readUInt32LE(28),
    address: numberAt(page, 32),
    mapBytes: numberAt(page, 40),
    freePages: readTreeHead(page, 48),
    main: readTreeHead(page, 96),
    lastPage: numberAt(page, 144),
    transaction: numberAt(page, 152),
  };
}

function readTreeHead(page: Buffer, at: number): TreeHead {
  return {
    pad: page.readUInt32LE(at),
    flags: page.readUInt16LE(at + 4),
    depth: page.readUInt16LE(at + 6),
    branchPages: numberAt(page, at + 8),
    leafPages: numberAt(page, at + 16),
    overflowPages: numberAt(page, at + 24),
    entries: numberAt(page, at + 32),
    root: numberAt(page, at + 40),
  };
}

export interface Node {
  readonly key: Buffer;
  readonly flags: number;
  /** Of a leaf. */
  readonly valueBytes: number;
  /** Offset of the value in the page. */
  readonly valueAt: number;
  /** Of a branch. */
  readonly child: number;
}

/** The nodes of a branch or leaf page in order; undefined when they are not as LMDB writes them. */
export function readNodes(page: Buffer, isLeaf: boolean): Node[] | undefined {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const room = LMDB_PAGE_BYTES - PAGE_HEADER_BYTES;
  if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) return undefined;
  const nodes: Node[] = [];
  let nodeBytes = 0;
  for (let index = 0; index < lower / 2; index++) {
    const offset = page.readUInt16LE(PAGE_HEADER_BYTES + 2 * index);
    if (offset < upper || offset + NODE_HEADER_BYTES > room) return undefined;
    const node = readNode(page, PAGE_HEADER_BYTES + offset);
    const size = node.valueAt - PAGE_HEADER_BYTES - offset + (isLeaf ? storedBytes(node) : 0);
    if (offset + size > room) return undefined;
    nodeBytes += size + (size % 2);
    nodes.push(node);
  }
  // LMDB leaves no space between nodes: with another sum they overlap, or one was missed.
  return nodeBytes === room - upper ? nodes : undefined;
}

function readNode(page: Buffer, at: number): Node {
  const low = page.readUInt32LE(at);
  const flags = page.readUInt16LE(at + 4);
  const valueAt = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6);
  const key = page.subarray(at + NODE_HEADER_BYTES, valueAt);
  return { key, flags, valueBytes: low, valueAt, child: low + flags * 2 ** 32 };
}

function storedBytes({ flags, valueBytes }: Node): number {
  return flags === BIG_DATA ? BIG_DATA_BYTES : valueBytes;
}
