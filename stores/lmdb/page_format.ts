/**
 * The layout of an LMDB file, as far as reading needs it: 64-bit, little-endian, data
 * versions 1 (LMDB 0.9) and 2 (LMDB 1.0, which lmdb-js writes).
 */

/** What differs between the data versions. */
export interface PageLayout {
  /** The length of a page's header. */
  readonly header: number;
  /** What the offsets in a page count from. */
  readonly base: number;
  /** Where the flags and bounds begin in the header. */
  readonly flags: number;
  /** Pages say which transaction wrote them. */
  readonly stamped: boolean;
}

const LAYOUTS: ReadonlyMap<number, PageLayout> = new Map([
  [1, { header: 16, base: 0, flags: 10, stamped: false }],
  [2, { header: 24, base: 24, flags: 18, stamped: true }],
]);

export const PAGE_BRANCH = 0x01;
export const PAGE_LEAF = 0x02;
export const PAGE_OVERFLOW = 0x04;
export const PAGE_META = 0x08;
/** The flags that tell what kind of page it is. */
export const PAGE_KIND = 0x6f;
/** A leaf node whose value is on overflow pages. */
export const NODE_BIG = 0x01;
/** Flags of nodes that hold databases or duplicates, which records never are. */
export const NODE_NESTED = 0x06;
export const NODE_HEADER = 8;

const MAGIC = 0xbeefc0de;
const INTEGER_KEY = 0x08;
const DUPLICATES = 0x04;
const TABLE_LENGTH = 48;
/** LMDB's own limit. */
const DEEPEST_TREE = 32;
/** Page sizes at which the second meta page is looked for when the first is damaged. */
export const PAGE_SIZES = [4096, 16384, 8192, 32768, 65536, 2048, 1024, 512] as const;
/** How many bytes from the beginning of a page a meta takes up. */
export const META_LENGTH = 160;

/** A snapshot of the file that one transaction left. */
export interface Meta {
  readonly layout: PageLayout;
  readonly pageSize: number;
  readonly transaction: bigint;
  readonly lastPage: number;
  /** The main table's root page; undefined while it is empty. */
  readonly root: number | undefined;
  readonly depth: number;
  readonly entries: number;
  /** Keys are integers of the machine that wrote it, and have one value each. */
  readonly integerKeys: boolean;
}

/** Why a page is no meta page that can be read. */
export type MetaRefusal = "foreign" | "newer" | "damaged";

const NO_PAGE = 0xffff_ffff_ffff_ffffn;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

function powerOfTwo(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0;
}

/** Reads the meta at the beginning of `page`, which must hold {@link META_LENGTH} bytes. */
export function parseMeta(page: DataView, number: number): Meta | MetaRefusal {
  for (const [version, layout] of LAYOUTS) {
    const at = layout.header;
    if (page.getUint32(at, true) !== MAGIC) continue;
    const written = page.getUint32(at + 4, true) & 0xffff;
    if (written !== version) {
      // Other versions are found at the place of the version they grew from.
      if (LAYOUTS.has(written)) continue;
      return "newer";
    }
    if (page.getBigUint64(0, true) !== BigInt(number)) return "damaged";
    if ((page.getUint16(layout.flags, true) & PAGE_META) === 0) return "damaged";
    return parseTables(page, layout, at + 24);
  }
  return "foreign";
}

function parseTables(page: DataView, layout: PageLayout, free: number): Meta | "damaged" {
  const main = free + TABLE_LENGTH;
  const end = main + TABLE_LENGTH;
  const pageSize = page.getUint32(free, true);
  const flags = page.getUint16(main + 4, true);
  const depth = page.getUint16(main + 6, true);
  const entries = page.getBigUint64(main + 32, true);
  const root = page.getBigUint64(main + 40, true);
  const lastPage = page.getBigUint64(end, true);
  if (!powerOfTwo(pageSize) || depth > DEEPEST_TREE) return "damaged";
  if (lastPage > LARGEST || entries > LARGEST) return "damaged";
  if (root !== NO_PAGE && (root > lastPage || depth === 0)) return "damaged";
  return {
    layout,
    pageSize,
    transaction: page.getBigUint64(end + 8, true),
    lastPage: Number(lastPage),
    root: root === NO_PAGE ? undefined : Number(root),
    depth,
    entries: Number(entries),
    integerKeys: (flags & INTEGER_KEY) !== 0 && (flags & DUPLICATES) === 0,
  };
}
