import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type Commit,
  encodeBatch,
  encodeCommit,
  HEADER_LENGTH,
  SLOT_LENGTH,
} from "./log_format.ts";

/** The log that this process writes, and nobody else. */
export class LogWriter {
  readonly #handle: FileHandle;
  #commit: Commit = { number: 1, length: HEADER_LENGTH };

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Creates a log. It gets its name when its header is on disk, so a log without one is damaged. */
  static async create(path: string): Promise<LogWriter> {
    const unfinished = `${path}.new`;
    const handle = await open(unfinished, "wx");
    try {
      const writer = new LogWriter(handle);
      await writer.#write(encodeCommit({ number: 0, length: HEADER_LENGTH }), 0);
      await writer.#write(encodeCommit(writer.#commit), SLOT_LENGTH);
      await handle.datasync();
      await rename(unfinished, path);
      const directory = await open(dirname(path), "r");
      await directory.sync().finally(() => directory.close());
      return writer;
    } catch (cause) {
      await handle.close();
      throw cause;
    }
  }

  /** Appends a batch. What a failed one left behind is not committed, and is overwritten. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    const { number, length } = this.#commit;
    const batch = encodeBatch(records);
    const commit = { number: number + 1, length: length + batch.length };
    await this.#write(batch, length);
    await this.#handle.datasync();
    await this.#write(encodeCommit(commit), (commit.number % 2) * SLOT_LENGTH);
    await this.#handle.datasync();
    this.#commit = commit;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += (await this.#handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
