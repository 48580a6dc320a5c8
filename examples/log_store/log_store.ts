import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  type CheckpointStore,
  type ErrorCode,
  type RecordBatch,
  type StoreWarning,
  TidemarkError,
} from "../../mod.ts";
import { type LogPosition, readLog, startOfLog } from "./log_reader.ts";
import { LogWriter } from "./log_writer.ts";

/** A checkpoint store that keeps a plain log per writer: a store of one's own in four small files. */
export class LogStore implements CheckpointStore {
  readonly writer: string = `log-${process.pid}-${randomUUID()}`;
  readonly location: string;
  readonly capabilities = { durable: true, shared: true, files: true } as const;
  readonly #onWarning: (warning: StoreWarning) => void;
  readonly #positions = new Map<string, LogPosition>();
  #log: LogWriter | undefined;
  /** Appends happen one after the other. */
  #last: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(directory: string, onWarning: (warning: StoreWarning) => void) {
    this.location = directory;
    this.#onWarning = onWarning;
  }

  /** Opens a checkpoint and creates its directory where it is missing. */
  static async open(
    directory: string,
    onWarning: (warning: StoreWarning) => void = () => {},
  ): Promise<LogStore> {
    await mkdir(directory, { recursive: true });
    return new LogStore(directory, onWarning);
  }

  async manifest(proposed: string): Promise<string> {
    this.#check();
    const path = join(this.location, "manifest");
    const mine = join(this.location, `${this.writer}.manifest`);
    await writeFile(mine, proposed, { flush: true });
    // A link is made in one step, and only where there is none.
    await link(mine, path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw this.#failure("CHECKPOINT_OPEN", path, cause);
    }).finally(() => unlink(mine));
    return await readFile(path, "utf8");
  }

  async *read(): AsyncGenerator<RecordBatch> {
    this.#check();
    const names = await readdir(this.location);
    for (const name of names.filter((n) => n.endsWith(".log") && n !== `${this.writer}.log`)) {
      const origin = join(this.location, name);
      const position = this.#positions.get(name) ?? startOfLog();
      this.#positions.set(name, position);
      const warn = (what: string) =>
        this.#onWarning({ message: `${origin} ${what}; its sources run again`, subject: origin });
      const batches = readLog(origin, position, warn);
      try {
        for (;;) {
          // What a file throws is said of that file, and the others are read.
          const next = await batches.next().catch((cause: unknown) =>
            warn(`cannot be read: ${String(cause)}`)
          );
          this.#check();
          if (!next || next.done) break;
          yield { origin, records: next.value };
          this.#check();
        }
      } finally {
        await batches.return(undefined);
      }
    }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.#check();
    if (records.length === 0) return;
    const appended = this.#last.then(() => this.#append(records));
    this.#last = appended.catch(() => {});
    await appended;
  }

  async #append(records: readonly Uint8Array[]): Promise<void> {
    const path = join(this.location, `${this.writer}.log`);
    try {
      this.#log ??= await LogWriter.create(path);
      await this.#log.append(records);
    } catch (cause) {
      throw this.#failure("CHECKPOINT_WRITE", path, cause);
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#last.then(() => this.#log?.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closing === undefined) return;
    throw new TidemarkError(
      "STORE_CLOSED",
      `the store at ${this.location} is closed: open it again`,
    );
  }

  #failure(code: ErrorCode, path: string, cause: unknown): TidemarkError {
    return new TidemarkError(code, `${path}: ${String(cause)}`, { cause, subject: path });
  }
}
