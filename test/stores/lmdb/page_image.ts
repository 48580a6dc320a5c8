/**
 * Builds small LMDB files byte by byte, in both data versions, for tests of the reader with
 * files that no LMDB at hand writes.
 */

import { blocksOf } from "../../../stores/record_block.ts";
import { encodeSeal } from "../../../stores/lmdb/seal.ts";

const PAGE = 4096;
const IDENTITY = 0x1d;
const NONE = 0xffff_ffff_ffff_ffffn;

/** What a built file says of itself. */
export interface PageImage {
  readonly version: 1 | 2 | 3;
  /** Entries by their keys, ascending, few enough for one page. */
  readonly entries: readonly (readonly [key: number, value: Uint8Array])[];
  /** @default 0x08, integer keys */
  readonly flags?: number;
}

/** One leaf at page 2, and two metas, of which the second is the newer one. */
export function buildImage({ version, entries, flags = 0x08 }: PageImage): Uint8Array {
  const file = new Uint8Array(3 * PAGE);
  const header = version === 1 ? 16 : 24;
  for (const number of [0, 1]) {
    const view = new DataView(file.buffer, number * PAGE, PAGE);
    view.setBigUint64(0, BigInt(number), true);
    view.setUint16(header - 6, 0x08, true);
    view.setUint32(header, 0xbeefc0de, true);
    view.setUint32(header + 4, version, true);
    view.setBigUint64(header + 16, 1n << 20n, true);
    const free = header + 24;
    view.setUint32(free, PAGE, true);
    view.setBigUint64(free + 40, NONE, true);
    const main = free + 48;
    const empty = number === 0;
    view.setUint16(main + 4, flags, true);
    view.setUint16(main + 6, empty ? 0 : 1, true);
    view.setBigUint64(main + 32, BigInt(empty ? 0 : entries.length), true);
    view.setBigUint64(main + 40, empty ? NONE : 2n, true);
    view.setBigUint64(main + 48, empty ? 1n : 2n, true);
    view.setBigUint64(main + 56, BigInt(number), true);
    file.set(encodeSeal({ identity: IDENTITY, blocks: undefined }), number * PAGE + 256);
  }
  const leaf = new DataView(file.buffer, 2 * PAGE, PAGE);
  const base = version === 1 ? 0 : header;
  leaf.setBigUint64(0, 2n, true);
  if (version !== 1) leaf.setBigUint64(8, 1n, true);
  leaf.setUint16(header - 6, 0x02, true);
  let upper = PAGE;
  entries.forEach(([key, entry], index) => {
    const value = key === 0 ? entry : blocksOf([entry], IDENTITY, key)[0]!;
    upper -= (12 + value.length + 1) & ~1;
    leaf.setUint16(header + 2 * index, upper - base, true);
    leaf.setUint16(upper, value.length & 0xffff, true);
    leaf.setUint16(upper + 2, value.length >>> 16, true);
    leaf.setUint16(upper + 6, 4, true);
    leaf.setUint32(upper + 8, key, true);
    new Uint8Array(file.buffer, 2 * PAGE + upper + 12).set(value);
  });
  leaf.setUint16(header - 4, header + 2 * entries.length - base, true);
  leaf.setUint16(header - 2, upper - base, true);
  return file;
}
