import type { CheckpointStore, RecordBatch, StoreCapabilities } from "../core/store.ts";
import { Lifetime } from "./lifetime.ts";
import { READ_BATCH_RECORDS } from "./read_limits.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  durable: false,
  shared: true,
  files: false,
});

interface MemoryWriter {
  readonly name: string;
  readonly records: Uint8Array[];
}

/** A checkpoint in this process's memory, which several handles may share. */
export class MemoryCheckpoint {
  manifest: string | undefined;
  readonly writers: MemoryWriter[] = [];
}

const named = new Map<string, MemoryCheckpoint>();
let handles = 0;

/** The checkpoint of that name in this process; the empty name is a fresh one every time. */
export function memoryCheckpoint(name: string): MemoryCheckpoint {
  if (name === "") return new MemoryCheckpoint();
  let checkpoint = named.get(name);
  if (checkpoint === undefined) {
    checkpoint = new MemoryCheckpoint();
    named.set(name, checkpoint);
  }
  return checkpoint;
}

/** Keeps records in memory: for tests, and for runs that only need their report. */
export class MemoryStore implements CheckpointStore {
  readonly writer: string;
  readonly location: string;
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #checkpoint: MemoryCheckpoint;
  readonly #own: MemoryWriter;
  readonly #seen = new Map<MemoryWriter, number>();
  readonly #lifetime: Lifetime;

  /**
   * @param checkpoint What several handles share; by default one of its own.
   * @param location What messages call it.
   */
  constructor(checkpoint: MemoryCheckpoint = new MemoryCheckpoint(), location = "memory:") {
    this.location = location;
    this.#lifetime = new Lifetime(location);
    this.#checkpoint = checkpoint;
    this.writer = `memory-${++handles}`;
    this.#own = { name: this.writer, records: [] };
    checkpoint.writers.push(this.#own);
  }

  async manifest(proposed: string): Promise<string> {
    this.#lifetime.check();
    this.#checkpoint.manifest ??= proposed;
    return this.#checkpoint.manifest;
  }

  async *read(): AsyncGenerator<RecordBatch> {
    this.#lifetime.check();
    for (const writer of this.#checkpoint.writers) {
      if (writer === this.#own) continue;
      const end = writer.records.length;
      for (;;) {
        const start = this.#seen.get(writer) ?? 0;
        const stop = Math.min(end, start + READ_BATCH_RECORDS);
        if (start >= stop) break;
        this.#seen.set(writer, stop);
        const records = writer.records.slice(start, stop).map((record) => record.slice());
        yield { origin: `memory:${writer.name}`, records };
        this.#lifetime.check();
      }
    }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.#lifetime.check();
    for (const record of records) this.#own.records.push(Uint8Array.from(record));
  }

  close(): Promise<void> {
    return this.#lifetime.end(async () => {
      this.#seen.clear();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
