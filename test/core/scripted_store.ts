import { TidemarkError } from "../../core/errors.ts";
import type { CheckpointStore, RecordBatch, StoreCapabilities } from "../../core/store.ts";

/** What a {@link ScriptedStore} keeps: several of them may share it, as writers do a directory. */
export class Shelf {
  readonly logs: Map<string, Uint8Array[]> = new Map();
  manifest: string | undefined;
}

/** A store in memory whose appends a test can watch, hold back and refuse. */
export class ScriptedStore implements CheckpointStore {
  readonly location = "shelf";
  readonly capabilities: StoreCapabilities = { durable: true, shared: true, files: false };
  readonly writer: string;
  readonly shelf: Shelf;
  readonly appends: number[] = [];
  /** How many of the next appends are refused. */
  refusals = 0;
  /** Appends wait for this. */
  gate: Promise<void> | undefined;
  readonly #read = new Map<string, number>();

  constructor(shelf: Shelf = new Shelf(), writer = "w") {
    this.shelf = shelf;
    this.writer = writer;
  }

  manifest(proposed: string): Promise<string> {
    return Promise.resolve(this.shelf.manifest ??= proposed);
  }

  async *read(): AsyncGenerator<RecordBatch> {
    for (const [writer, log] of this.shelf.logs) {
      if (writer === this.writer && this.appends.length > 0) continue;
      const from = this.#read.get(writer) ?? 0;
      this.#read.set(writer, log.length);
      if (from < log.length) yield { origin: `shelf/${writer}`, records: log.slice(from) };
    }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    await this.gate;
    if (this.refusals > 0) {
      this.refusals--;
      throw new TidemarkError("CHECKPOINT_WRITE", "no space left on device");
    }
    this.appends.push(records.length);
    const log = this.shelf.logs.get(this.writer) ?? [];
    this.shelf.logs.set(this.writer, [...log, ...records]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
