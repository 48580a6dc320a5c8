/**
 * Records lie in a file in blocks, since an entry or a row of its own costs a store more than
 * a record's content. Layout: `(length | record)... | tag:u32`, little-endian, each length as a
 * variable number of bytes, seven bits in each, the lowest first (LEB128).
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** A longer block has one record. Two of this size fit into a page of LMDB's and of SQLite's. */
const MOST_BYTES = 1_990;
/** How many bytes a block adds to its records at most, for each of them. */
export const BLOCK_OVERHEAD = 9;
const TAG_LENGTH = 4;
/** What a length's fifth and last byte is worth. */
const MOST_WEIGHT = 2 ** 28;

/** A number that no other file is likely to have. */
export function newIdentity(): number {
  return randomBytes(4).readUInt32LE();
}

/**
 * The records as blocks, which share no memory with them.
 * @param identity The file's.
 * @param firstPlace The number in the file of the first block.
 */
export function blocksOf(
  records: readonly Uint8Array[],
  identity: number,
  firstPlace: number,
): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const bytes = Buffer.allocUnsafeSlow(
    records.reduce((sum, { length }) => sum + length + BLOCK_OVERHEAD, 0),
  );
  let start = 0;
  let at = 0;
  let tag = tagFor(identity, firstPlace);
  const finish = (): void => {
    const end = bytes.writeUInt32LE(finished(tag), at);
    blocks.push(bytes.subarray(start, end));
    start = at = end;
    tag = tagFor(identity, firstPlace + blocks.length);
  };
  for (const record of records) {
    if (at > start && at - start + record.length + BLOCK_OVERHEAD > MOST_BYTES) finish();
    let rest = record.length;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    bytes.set(record, at);
    tag = tagWith(tag, bytes, at, at + record.length);
    at += record.length;
  }
  if (at > start) finish();
  return blocks;
}

/**
 * A block's records; undefined when it is damaged or does not belong here.
 * @param identity The file's; undefined where it is not known, so that no tag is checked.
 * @param place The block's number in the file.
 */
export function recordsOf(
  block: Uint8Array,
  identity: number | undefined,
  place: number,
): Uint8Array[] | undefined {
  const records: Uint8Array[] = [];
  const end = block.length - TAG_LENGTH;
  let tag = tagFor(identity ?? 0, place);
  for (let at = 0; at < end;) {
    let length = 0;
    for (let weight = 1;; weight *= 0x80) {
      if (at >= end || weight > MOST_WEIGHT) return undefined;
      const byte = block[at++]!;
      length += (byte & 0x7f) * weight;
      if (byte <= 0x7f) break;
    }
    // A longer block has one record, or a page of zeros would be a million empty ones.
    if (length > end - at || (records.length > 0 && block.length > MOST_BYTES)) return undefined;
    records.push(new Uint8Array(block.buffer, block.byteOffset + at, length));
    tag = tagWith(tag, block, at, at + length);
    at += length;
  }
  if (records.length === 0) return undefined;
  return identity === undefined || isNumberAt(block, end, finished(tag)) ? records : undefined;
}

function isNumberAt(bytes: Uint8Array, at: number, number: number): boolean {
  return bytes[at] === (number & 0xff) && bytes[at + 1] === ((number >>> 8) & 0xff) &&
    bytes[at + 2] === ((number >>> 16) & 0xff) && bytes[at + 3] === number >>> 24;
}

/**
 * A tag ties a block to its file, to its place there and to its records' first bytes, which are
 * their checksums. Records verify their own content; only the tag tells a sound record that has
 * come from elsewhere, with a page of another writer's file say, and has displaced the one that
 * should be there.
 */
function tagFor(identity: number, place: number): number {
  return identity ^ Math.imul(place, 0x9e3779b1) ^ Math.floor(place / 2 ** 32);
}

function tagWith(tag: number, bytes: Uint8Array, start: number, end: number): number {
  let first = 0;
  for (let at = Math.min(end, start + 4) - 1; at >= start; at--) first = (first << 8) | bytes[at]!;
  const hash = Math.imul(tag ^ first ^ (end - start), 0x27d4eb2f);
  return hash ^ (hash >>> 15);
}

/** MurmurHash3's finaliser (Appleby). */
function finished(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
