import { TidemarkError } from "../../core/errors.ts";
import type { CheckpointStore, RecordBatch, StoreCapabilities } from "../../core/store.ts";
import { Union } from "../../core/union.ts";
import type { AppendState } from "./history.ts";
import { damagedRecord, durableRecord } from "./record_checks.ts";
import { type ShelfRecord, torn } from "./shelf.ts";
import type { SimulatedProcess } from "./simulated_process.ts";

/**
 * A store of one process on the common shelf. It keeps the contract of `CheckpointStore` and
 * nothing beyond it: it is slow, refuses, yields records again and in any order, and forgets
 * or tears in a crash what it had not acknowledged.
 */
export class SimulatedStore implements CheckpointStore {
  readonly writer: string;
  readonly location: string = "simulated";
  readonly capabilities: StoreCapabilities = { durable: true, shared: true, files: false };
  readonly #process: SimulatedProcess;
  readonly #seen = new Map<string, number>();
  #isAppending = false;
  #isReading = false;
  #isClosed = false;

  constructor(process: SimulatedProcess) {
    this.#process = process;
    this.writer = process.name;
  }

  async manifest(proposed: string): Promise<string> {
    const { shelf } = this.#process.simulation;
    this.#check("manifest");
    await this.#process.effect("manifest", () => void (shelf.manifest ??= proposed));
    return shelf.manifest!;
  }

  async *read(): AsyncGenerator<RecordBatch> {
    const { world } = this.#process.simulation;
    this.#check("read");
    if (this.#isReading) world.violate("the owner", "began a reading before the last one ended");
    this.#isReading = true;
    try {
      yield* this.#readAll();
    } finally {
      this.#isReading = false;
    }
  }

  async *#readAll(): AsyncGenerator<RecordBatch> {
    const { world, shelf, weather } = this.#process.simulation;
    this.#process.run?.readStarts();
    for (const writer of world.shuffled([...shelf.logs.keys()])) {
      if (writer === this.writer) continue;
      const log = shelf.logs.get(writer)!;
      while ((this.#seen.get(writer) ?? 0) < log.length) {
        await this.#process.pause(`reads ${writer}`);
        this.#refuseClosed();
        if (world.chance(weather.readFails)) {
          world.count("readFailed");
          throw new TidemarkError("CHECKPOINT_READ", "simulated: the log cannot be read");
        }
        const from = this.#seen.get(writer) ?? 0;
        const to = Math.min(log.length, from + 1 + world.below(8));
        this.#seen.set(writer, to);
        yield batch(writer, log.slice(from, to));
        if (world.chance(weather.readAgain)) {
          world.count("readAgain");
          yield batch(writer, log.slice(world.below(to), to));
        }
      }
    }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    const { simulation } = this.#process;
    const { world, weather } = simulation;
    this.#check("append");
    if (this.#isAppending) world.violate("the owner", "began an append before the last one ended");
    this.#isAppending = true;
    const state: AppendState = { isAcknowledged: false, isForgotten: false };
    const keep = (count: number) => {
      for (const bytes of records.slice(0, count)) {
        durableRecord(this.#process, bytes, state);
      }
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const refuse = () => {
          world.count("refused");
          this.#process.refusals++;
          if (world.chance(weather.leaveBehind)) {
            world.count("leftBehind");
            keep(1 + world.below(records.length));
          }
          reject(new TidemarkError("CHECKPOINT_WRITE", "simulated: the disk refuses"));
        };
        const effect = () => {
          if (this.#process.isDiskFull || world.chance(weather.refuse)) {
            refuse();
            return;
          }
          this.#process.refusals = 0;
          keep(records.length);
          const resolved = () => {
            state.isAcknowledged = true;
            resolve();
          };
          const notSynced = () => {
            if (world.chance(weather.forget)) this.#forget(records.length, state);
          };
          world.schedule(
            this.#process,
            this.#process.latency,
            "append resolves",
            resolved,
            notSynced,
          );
        };
        const atCrash = () => this.#cutOff(records, keep);
        world.schedule(
          this.#process,
          this.#process.latency,
          `appends ${records.length}`,
          effect,
          atCrash,
        );
      });
    } finally {
      this.#isAppending = false;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#isAppending || this.#isReading) {
      this.#process.simulation.world.violate("the run", "closed the store while it used it");
    }
    this.#isClosed = true;
    await this.#process.pause("closes the store");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A crash in the middle of an append leaves all, nothing, or some of it and a torn record. */
  #cutOff(records: readonly Uint8Array[], keep: (count: number) => void): void {
    const { world, weather, shelf } = this.#process.simulation;
    if (world.chance(weather.tear)) {
      const whole = world.below(records.length);
      keep(whole);
      const record: ShelfRecord = torn(records[whole]!, world);
      if (!record.isDamaged) return;
      world.count("torn");
      damagedRecord(this.#process.simulation, record.bytes);
      shelf.add(this.writer, record);
    } else if (world.chance(0.5)) {
      world.count("keptAppends");
      keep(records.length);
    } else {
      world.count("lostAppends");
    }
  }

  /** A crash takes back what others may have read already, but nobody was promised. */
  #forget(records: number, state: AppendState): void {
    const { simulation } = this.#process;
    simulation.world.count("forgotten");
    simulation.world.note(this.writer, `loses ${records} records that were not synced`);
    simulation.shelf.logs.get(this.writer)!.length -= records;
    state.isForgotten = true;
    simulation.union = new Union();
    for (const { record } of simulation.history.all()) simulation.union.add(record);
  }

  /** The engine must not use a store that it closed. */
  #check(operation: string): void {
    if (!this.#isClosed) return;
    this.#process.simulation.world.violate("the run", `called ${operation}() on a closed store`);
    this.#refuseClosed();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TidemarkError("STORE_CLOSED", "simulated: the store is closed");
  }
}

function batch(writer: string, log: readonly ShelfRecord[]): RecordBatch {
  return { origin: `simulated/${writer}`, records: log.map((r) => r.bytes.slice()) };
}
