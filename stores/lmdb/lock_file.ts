import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";

const MAGIC = 0xbeefc0de;
const TRANSACTION = 8;
const LENGTH = 16;

/** The path of the lock that LMDB keeps beside a file. */
export function lockOf(path: string): string {
  return `${path}-lock`;
}

/**
 * The last transaction that a file's lock speaks of; LMDB notes it there once it is on disk.
 * A writer that is killed leaves its lock, so that a file that knows less has lost something.
 * @returns -1 when there is no lock, or none that says it.
 */
export async function lastCommitted(path: string): Promise<bigint> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(lockOf(path), "r");
    const bytes = Buffer.alloc(LENGTH);
    const { bytesRead } = await handle.read(bytes, 0, LENGTH, 0);
    if (bytesRead < LENGTH || bytes.readUInt32LE(0) !== MAGIC) return -1n;
    return bytes.readBigUInt64LE(TRANSACTION);
  } catch {
    return -1n;
  } finally {
    await handle?.close();
  }
}
