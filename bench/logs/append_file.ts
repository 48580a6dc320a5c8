import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type CheckpointRecord, encodeRecord } from "../../mod.ts";
import type { RecordLog } from "./record_log.ts";

/** Records one after another in a file, each after its length. */
export class AppendFile implements RecordLog {
  readonly durability = "fdatasync per batch";
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(directory: string): Promise<AppendFile> {
    return new AppendFile(await open(join(directory, "records"), "a"));
  }

  async append(records: readonly CheckpointRecord[]): Promise<void> {
    const parts: Uint8Array[] = [];
    for (const record of records) {
      const bytes = encodeRecord(record);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      parts.push(length, bytes);
    }
    await this.#file.write(Buffer.concat(parts));
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
