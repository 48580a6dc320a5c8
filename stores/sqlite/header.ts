import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import { APPLICATION_ID, FILE_FORMAT } from "./record_table.ts";

const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
const LENGTH = 100;
const LOGGED = 2;

/** What a file's header says. */
export interface SqliteHeader {
  /** Why the file is not to be read; undefined when it is. */
  readonly refusal: string | undefined;
  /** How long the file says that it is, in bytes; 0 when it does not say. */
  readonly length: number;
  /** Whether there may be a log: our writers give it up with their last commit. */
  readonly isLogged: boolean;
}

/** Looks at a file before SQLite does. */
export async function readHeader(path: string): Promise<SqliteHeader> {
  const handle = await open(path, "r");
  try {
    const bytes = Buffer.alloc(LENGTH);
    const { bytesRead } = await handle.read(bytes, 0, LENGTH, 0);
    return {
      refusal: refusalOf(bytes.subarray(0, bytesRead)),
      length: lengthOf(bytes),
      isLogged: bytes[18] === LOGGED && bytes[19] === LOGGED,
    };
  } finally {
    await handle.close();
  }
}

function refusalOf(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return "is empty";
  if (bytes.length < LENGTH) return "is damaged: it ends within its header";
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return "is not an SQLite file";
  if (bytes.readUInt32BE(68) !== APPLICATION_ID) return "was not written by Tidemark";
  const format = bytes.readUInt32BE(60);
  if (format === FILE_FORMAT) return undefined;
  return `is of format ${format}, newer than this version's ${FILE_FORMAT}: update to read it`;
}

function lengthOf(bytes: Buffer): number {
  const size = bytes.readUInt16BE(16);
  return (size === 1 ? 65536 : size) * bytes.readUInt32BE(28);
}
