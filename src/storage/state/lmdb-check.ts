import {
  BIG_DATA,
  META,
  type MetaPage,
  NO_PAGE,
  type Node,
  numberAt,
  PAGE_FLAGS,
  PAGE_HEADER_BYTES,
  readMetaPage,
  readNodes,
  type TreeHead,
} from './lmdb-layout.ts';
import { LMDB_PAGE_BYTES } from './lmdb-room.ts';

/** Reads one page of a file; undefined when the file ends before the end of the page. */
export type PageReader = (page: number) => Buffer | undefined;

/** The file is not as LMDB wrote it; the message describes the damage. */
class Damage extends Error {}

/** Yields to other work of the process after this many pages. */
const PAGES_PER_TURN = 2000;
const DEEPEST_TREE = 20;
const LARGEST_MAP_BYTES = 2 ** 46;

/**
 * Returns the damage of an LMDB file; undefined for a sound one. It checks everything that LMDB follows
 * without a check: both meta pages, each page and node of both trees, the order of keys, the counts, and that
 * no page is used twice or both free and used. The bytes of values are checked by the reader of the rows.
 */
export async function damageOf(readPage: PageReader): Promise<string | undefined> {
  try {
    const metas = [0, 1].map((number) => checkedMeta(readPage, number));
    await new TreeCheck(readPage, newestOf(readPage, metas)).run();
    return undefined;
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}

function checkedMeta(readPage: PageReader, number: number): MetaPage {
  const page = readPage(number);
  if (page === undefined) throw new Damage('the file is too short to be a database of LMDB');
  const meta = readMetaPage(page);
  const { freePages, main, lastPage, transaction, mapBytes } = meta;
  const isOurs = meta.magic === META.magic && meta.version === META.version && meta.flags === META.flag;
  if (!isOurs) throw new Damage(`page ${number} is no meta page of LMDB`);
  const isSound =
    meta.number === number &&
    meta.address === 0 &&
    freePages.pad === LMDB_PAGE_BYTES &&
    freePages.flags === 8 &&
    main.pad === 0 &&
    main.flags === 0 &&
    lastPage >= 1 &&
    lastPage < NO_PAGE &&
    mapBytes <= LARGEST_MAP_BYTES &&
    (transaction === 0 || transaction % 2 === number);
  if (!isSound) throw new Damage(`meta page ${number} has impossible values`);
  return meta;
}

/**
 * Both have a tree whose root has the number of the transaction: a changed number would select an older
 * state.
 */
function newestOf(readPage: PageReader, metas: readonly MetaPage[]): MetaPage {
  const [older, newest] = metas.toSorted((a, b) => a.transaction - b.transaction) as [MetaPage, MetaPage];
  if (newest.transaction > 0 && older.transaction !== newest.transaction - 1)
    throw new Damage('the meta pages do not follow each other');
  for (const { main, transaction, number } of metas) {
    const root = main.root === NO_PAGE ? undefined : readPage(main.root);
    if (main.root !== NO_PAGE && (root === undefined || numberAt(root, 8) !== transaction))
      throw new Damage(`the tree of meta page ${number} is not of its transaction`);
  }
  return newest;
}

/** Walks both trees of one meta page. */
class TreeCheck {
  readonly #readPage: PageReader;
  readonly #meta: MetaPage;
  readonly #used: Uint8Array;
  #untilTurn = PAGES_PER_TURN;

  constructor(readPage: PageReader, meta: MetaPage) {
    this.#readPage = readPage;
    this.#meta = meta;
    // The file must have this many pages, so that a damaged number cannot allocate more memory than the file
    // justifies.
    if (readPage(meta.lastPage) === undefined)
      throw new Damage('the file is shorter than its meta page says');
    this.#used = new Uint8Array(meta.lastPage + 1).fill(1, 0, 2);
  }

  async run(): Promise<void> {
    await this.#checkTree(
      this.#meta.main,
      'main',
      (a, b) => a.compare(b),
      () => undefined,
    );
    const free: number[] = [];
    await this.#checkTree(this.#meta.freePages, 'free pages', compareNumbers, (node, value) => {
      if (node.key.length !== 8) throw new Damage('a list of free pages has no transaction');
      free.push(...this.#freePages(value));
    });
    for (const page of free) this.#use(page, 'a list of free pages');
  }

  async #checkTree(head: TreeHead, name: string, compare: Compare, onLeaf: OnLeaf): Promise<void> {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0, depth: 0 };
    const walk = async (number: number, depth: number, from?: Buffer, to?: Buffer): Promise<void> => {
      const { nodes, page, isLeaf } = this.#nodesOf(number, depth, `the ${name} tree`);
      if (isLeaf) {
        counts.leafPages++;
        counts.entries += nodes.length;
        counts.depth = Math.max(counts.depth, depth);
        if (depth !== head.depth) throw new Damage(`the ${name} tree has leaves at several depths`);
        for (const node of nodes) onLeaf(node, this.#valueOf(page, node, counts));
      } else counts.branchPages++;
      const keyed = isLeaf ? nodes : nodes.slice(1);
      assertOrder(keyed, compare, number, { from, to });
      if (isLeaf) return;
      await this.#turn();
      for (const [index, { child }] of nodes.entries()) {
        await walk(child, depth + 1, index === 0 ? from : nodes[index]?.key, nodes[index + 1]?.key ?? to);
      }
    };
    if (head.root !== NO_PAGE) await walk(head.root, 1);
    for (const [what, count] of Object.entries(counts)) {
      if (head[what as keyof typeof counts] !== count)
        throw new Damage(`the ${name} tree does not have the ${what} that its meta page names`);
    }
  }

  #nodesOf(number: number, depth: number, where: string) {
    this.#use(number, where);
    const page = this.#readPage(number);
    if (page === undefined || depth > DEEPEST_TREE) throw new Damage(`page ${number} cannot be reached`);
    const flags = page.readUInt16LE(18);
    const isLeaf = flags === PAGE_FLAGS.leaf;
    const isOurs = isLeaf || flags === PAGE_FLAGS.branch;
    const isSound = isOurs && numberAt(page, 0) === number && numberAt(page, 8) <= this.#meta.transaction;
    const nodes = isSound ? readNodes(page, isLeaf) : undefined;
    if (nodes === undefined) throw new Damage(`page ${number} of ${where} is damaged`);
    return { nodes, page, isLeaf };
  }

  #valueOf(page: Buffer, { flags, valueAt, valueBytes }: Node, counts: { overflowPages: number }): Buffer {
    if (flags === 0) return page.subarray(valueAt, valueAt + valueBytes);
    if (flags !== BIG_DATA) throw new Damage('a node has unknown flags');
    const first = numberAt(page, valueAt);
    const count = numberAt(page, valueAt + 16);
    const isSound = count === Math.floor((PAGE_HEADER_BYTES - 1 + valueBytes) / LMDB_PAGE_BYTES) + 1;
    const head = isSound && first < NO_PAGE ? this.#readPage(first) : undefined;
    const isOurs =
      head !== undefined &&
      numberAt(head, 0) === first &&
      head.readUInt16LE(18) === PAGE_FLAGS.overflow &&
      head.readUInt32LE(20) === count;
    if (!isOurs) throw new Damage(`the overflow pages at page ${first} are damaged`);
    const pages: Buffer[] = [];
    for (let number = first; number < first + count; number++) {
      this.#use(number, 'overflow pages');
      pages.push(this.#readPage(number) ?? Buffer.alloc(0));
    }
    counts.overflowPages += count;
    return Buffer.concat(pages).subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + valueBytes);
  }

  /** A count, then page numbers: 0 is an empty slot, a negative number the length of the following block. */
  #freePages(list: Buffer): number[] {
    const pages: number[] = [];
    const count = list.length < 8 ? NO_PAGE : numberAt(list, 0);
    if (8 * (count + 1) > list.length) throw new Damage('a list of free pages is shorter than it says');
    let block = 1;
    for (let index = 1; index <= count; index++) {
      const value = list.readBigInt64LE(8 * index);
      if (value < 0n) {
        block = Number(-value);
        if (block > this.#meta.lastPage) throw new Damage('a list of free pages has an impossible block');
      } else if (value > 0n) {
        for (let page = Number(value); page < Number(value) + block; page++) pages.push(page);
        block = 1;
      }
    }
    return pages;
  }

  #use(page: number, where: string): void {
    if (page < 2 || page > this.#meta.lastPage) throw new Damage(`${where} names a page that is not there`);
    if (this.#used[page] === 1) throw new Damage(`page ${page} is used twice`);
    this.#used[page] = 1;
  }

  async #turn(): Promise<void> {
    if (this.#untilTurn-- > 0) return;
    this.#untilTurn = PAGES_PER_TURN;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

type Compare = (a: Buffer, b: Buffer) => number;
type OnLeaf = (node: Node, value: Buffer) => void;

function compareNumbers(a: Buffer, b: Buffer): number {
  if (a.length !== 8 || b.length !== 8) throw new Damage('a list of free pages has no transaction');
  return Number(a.readBigUInt64LE() - b.readBigUInt64LE());
}

/** Ascending, not below `from`, below `to`. */
function assertOrder(
  nodes: readonly Node[],
  compare: Compare,
  page: number,
  { from, to }: { readonly from: Buffer | undefined; readonly to: Buffer | undefined },
): void {
  const fail = () => {
    throw new Damage(`the keys of page ${page} are not in order`);
  };
  for (const [index, { key }] of nodes.entries()) {
    const before = nodes[index - 1]?.key;
    if (before !== undefined && compare(before, key) >= 0) fail();
  }
  const [first] = nodes;
  const last = nodes.at(-1);
  if (first !== undefined && from !== undefined && compare(from, first.key) > 0) fail();
  if (last !== undefined && to !== undefined && compare(last.key, to) >= 0) fail();
}
