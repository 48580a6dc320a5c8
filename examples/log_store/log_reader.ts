import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { batchLength, decodeBatch, decodeHeader, HEADER_LENGTH } from "./log_format.ts";

/** At most so many records are yielded at once. */
const MOST_RECORDS = 4096;

/** How far a log was read. */
export interface LogPosition {
  /** Where the next batch begins. */
  offset: number;
  /** How many of its records were yielded already. */
  yielded: number;
}

/** The position before a log's first record. */
export function startOfLog(): LogPosition {
  return { offset: HEADER_LENGTH, yielded: 0 };
}

/**
 * Reads the records after the position, which moves with them.
 * @param onDamage Told what is wrong with the log.
 */
export async function* readLog(
  path: string,
  position: LogPosition,
  onDamage: (what: string) => void,
): AsyncGenerator<Uint8Array[]> {
  const handle = await open(path, "r");
  try {
    const { commit, sound } = decodeHeader(await bytesAt(handle, 0, HEADER_LENGTH));
    if (commit === undefined) {
      onDamage("is no log, or its header is damaged");
      return;
    }
    while (position.offset < commit.length) {
      const length = batchLength(await bytesAt(handle, position.offset, 4));
      const fits = length !== undefined && position.offset + length <= commit.length;
      const records = fits && decodeBatch(await bytesAt(handle, position.offset, length));
      if (!records) {
        onDamage(`is damaged at byte ${position.offset}: what comes after it is lost`);
        return;
      }
      while (position.yielded < records.length) {
        const next = records.slice(position.yielded, position.yielded + MOST_RECORDS);
        position.yielded += next.length;
        yield next;
      }
      Object.assign(position, { offset: position.offset + length, yielded: 0 });
    }
    // A slot is unsound for the moment in which it is written; a second look tells.
    if (!sound && !decodeHeader(await bytesAt(handle, 0, HEADER_LENGTH)).sound) {
      onDamage("has a damaged header: its last batch may be lost");
    }
  } finally {
    await handle.close();
  }
}

/** As many bytes as there are, up to `length`. */
async function bytesAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
  return bytes.subarray(0, bytesRead);
}
