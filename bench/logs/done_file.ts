import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointRecord } from "../../mod.ts";
import type { RecordLog } from "./record_log.ts";

const EXTENSION = ".done.jsonl";

/** A file with a line of JSON per completed source: what people write when they need resuming. */
export class DoneFile implements RecordLog {
  readonly durability = "fdatasync per batch";
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @param writer Names the file among those of the directory. */
  static async open(directory: string, writer = "all"): Promise<DoneFile> {
    return new DoneFile(await open(join(directory, `${writer}${EXTENSION}`), "a"));
  }

  async append(records: readonly Pick<CheckpointRecord, "source">[]): Promise<void> {
    await this.#file.write(
      records.map(({ source }) => `${JSON.stringify({ source, state: "complete" })}\n`).join(""),
    );
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** The sources that the done-files of a directory name. A last line that was cut off is left out. */
export async function readDoneFiles(directory: string): Promise<Set<string>> {
  const done = new Set<string>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith(EXTENSION)) continue;
    const file = await open(join(directory, name));
    const text = await file.readFile("utf8");
    await file.close();
    for (let start = 0;;) {
      const end = text.indexOf("\n", start);
      if (end < 0) break;
      done.add((JSON.parse(text.slice(start, end)) as { source: string }).source);
      start = end + 1;
    }
  }
  return done;
}
