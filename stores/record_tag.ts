import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** How many bytes a tag adds to a record. */
export const TAG_LENGTH = 4;

/** A number that no other file is likely to have. */
export function newIdentity(): number {
  return randomBytes(4).readUInt32LE();
}

/**
 * A number that ties a record to its file, to its place there and to its first bytes, which
 * are its checksum. Records verify their own content; only this tells a sound record that has
 * come from elsewhere, with a page of another writer's file say, and has displaced the one
 * that should be there.
 */
function tagOf(identity: number, place: number, record: Uint8Array): number {
  const start = record[0]! | (record[1]! << 8) | (record[2]! << 16) | (record[3]! << 24);
  // MurmurHash3's finaliser (Appleby).
  let hash = identity ^ Math.imul(place, 0x9e3779b1) ^ Math.floor(place / 2 ** 32) ^
    Math.imul(start, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Copies of records, each with its tag. They share no memory with what they were made from.
 * @param identity The file's.
 * @param firstPlace The number in the file of the first one.
 */
export function tagged(
  records: readonly Uint8Array[],
  identity: number,
  firstPlace: number,
): Uint8Array[] {
  const copy = Buffer.allocUnsafeSlow(
    records.reduce((sum, record) => sum + record.length + TAG_LENGTH, 0),
  );
  let at = 0;
  return records.map((record, index) => {
    const start = at;
    copy.set(record, start);
    at = copy.writeUInt32LE(tagOf(identity, firstPlace + index, record), start + record.length);
    return copy.subarray(start, at);
  });
}

/**
 * A record without its tag; undefined when it has another one, that is, does not belong here.
 * @param identity The file's; undefined where it is not known, so that no tag is checked.
 * @param place The record's number in the file.
 */
export function withoutTag(
  value: Uint8Array,
  identity: number | undefined,
  place: number,
): Uint8Array | undefined {
  const end = value.length - TAG_LENGTH;
  if (end < 0) return undefined;
  const record = value.subarray(0, end);
  if (identity === undefined) return record;
  const tag = value[end]! | (value[end + 1]! << 8) | (value[end + 2]! << 16) |
    (value[end + 3]! << 24);
  return tag >>> 0 === tagOf(identity, place, record) ? record : undefined;
}
