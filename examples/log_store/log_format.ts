import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/**
 * A log begins with two slots, which say in turn how much of it is committed, so that one of
 * them is whole whenever the other one is being written. Batches follow, each with a checksum.
 */
export const SLOT_LENGTH = 32;
/** Where the first batch begins. */
export const HEADER_LENGTH: number = 2 * SLOT_LENGTH;

const MAGIC = 0x6c6f6731;
const BATCH_HEADER = 12;

/** How much of a log is committed. */
export interface Commit {
  /** Counts the commits. */
  readonly number: number;
  /** The log's length in bytes. */
  readonly length: number;
}

/** A slot's bytes. */
export function encodeCommit({ number, length }: Commit): Buffer {
  const slot = Buffer.alloc(SLOT_LENGTH);
  slot.writeUInt32BE(MAGIC, 0);
  slot.writeDoubleBE(number, 8);
  slot.writeDoubleBE(length, 16);
  slot.writeUInt32BE(crc32(slot.subarray(0, 24)), 24);
  return slot;
}

/** The newest commit that a header tells of, and whether both of its slots are sound. */
export function decodeHeader(header: Buffer): { commit: Commit | undefined; sound: boolean } {
  const commits = [0, 1].map((i) =>
    decodeCommit(header.subarray(i * SLOT_LENGTH, (i + 1) * SLOT_LENGTH))
  ).filter((commit) => commit !== undefined);
  const commit = commits.toSorted((a, b) => b.number - a.number)[0];
  return { commit, sound: commits.length === 2 };
}

function decodeCommit(slot: Buffer): Commit | undefined {
  if (slot.length < SLOT_LENGTH || slot.readUInt32BE(0) !== MAGIC) return undefined;
  if (slot.readUInt32BE(24) !== crc32(slot.subarray(0, 24))) return undefined;
  return { number: slot.readDoubleBE(8), length: slot.readDoubleBE(16) };
}

/** A batch's bytes: its length, its checksum, how many records, and each with its length. */
export function encodeBatch(records: readonly Uint8Array[]): Buffer {
  const length = records.reduce((sum, record) => sum + 4 + record.length, BATCH_HEADER);
  const batch = Buffer.alloc(length);
  batch.writeUInt32BE(length, 0);
  batch.writeUInt32BE(records.length, 8);
  let at = BATCH_HEADER;
  for (const record of records) {
    at = batch.writeUInt32BE(record.length, at);
    batch.set(record, at);
    at += record.length;
  }
  batch.writeUInt32BE(crc32(batch.subarray(8)), 4);
  return batch;
}

/** The length of the batch that begins with these bytes; undefined when there can be none. */
export function batchLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  return length < BATCH_HEADER ? undefined : length;
}

/** A batch's records; undefined when it is damaged. */
export function decodeBatch(batch: Buffer): Uint8Array[] | undefined {
  if (batch.length < BATCH_HEADER || batch.readUInt32BE(0) !== batch.length) return undefined;
  if (batch.readUInt32BE(4) !== crc32(batch.subarray(8))) return undefined;
  let at = BATCH_HEADER;
  return Array.from({ length: batch.readUInt32BE(8) }, () => {
    const start = at + 4;
    at = start + batch.readUInt32BE(at);
    return batch.subarray(start, at);
  });
}
