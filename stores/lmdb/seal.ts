/**
 * What Tidemark writes behind each of the two metas, in the part of the page that LMDB leaves
 * alone: `crc32c:u32 (of what follows) | "tidemark" | identity:u32 | blocks:f64`,
 * little-endian. `blocks` is -1 until the file is closed.
 */
import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { crc32c } from "../../core/crc32c.ts";

/** Where in a meta's page it is. */
const SEAL_OFFSET = 256;
const MAGIC = new TextEncoder().encode("tidemark");
const IDENTITY = 4 + MAGIC.length;
const BLOCKS = IDENTITY + 4;
const LENGTH = BLOCKS + 8;
/** How many bytes from the beginning of a page are of interest. */
export const SEALED_LENGTH: number = SEAL_OFFSET + LENGTH;

/** What a file says of itself beside what LMDB says of it. */
export interface Seal {
  /** What its blocks' tags are made from. */
  readonly identity: number;
  /** How many blocks it holds; undefined while it is written, or when its writer was killed. */
  readonly blocks: number | undefined;
}

/** Reads the seal behind the meta that begins at `offset`; undefined when it is damaged. */
export function parseSeal(bytes: Buffer, offset: number): Seal | undefined {
  const start = offset + SEAL_OFFSET;
  const seal = bytes.subarray(start, start + LENGTH);
  if (seal.length < LENGTH || seal.readUInt32LE(0) !== crc32c(seal, 4)) return undefined;
  if (!MAGIC.every((byte, index) => seal[4 + index] === byte)) return undefined;
  const blocks = seal.readDoubleLE(BLOCKS);
  return {
    identity: seal.readUInt32LE(IDENTITY),
    blocks: blocks < 0 ? undefined : blocks,
  };
}

/** The seal's bytes. */
export function encodeSeal({ identity, blocks }: Seal): Uint8Array {
  const seal = Buffer.alloc(LENGTH);
  seal.set(MAGIC, 4);
  seal.writeUInt32LE(identity, IDENTITY);
  seal.writeDoubleLE(blocks ?? -1, BLOCKS);
  seal.writeUInt32LE(crc32c(seal, 4), 0);
  return seal;
}

/** Puts a file's seal behind both metas, on disk. */
export async function writeSeal(path: string, pageSize: number, seal: Seal): Promise<void> {
  const bytes = encodeSeal(seal);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r+");
    for (const page of [0, 1]) {
      await handle.write(bytes, 0, LENGTH, page * pageSize + SEAL_OFFSET);
    }
    await handle.datasync();
  } finally {
    await handle?.close();
  }
}
