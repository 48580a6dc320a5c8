import { messageOf, printable, TidemarkError } from "./errors.ts";
import type { Fact } from "./fact.ts";
import type { Host, StoreWarning } from "./host.ts";
import { Ledger, type LedgerChange } from "./ledger.ts";
import { checkManifest, encodeManifest } from "./manifest.ts";
import type { CheckpointRecord, RecordState } from "./record.ts";
import { encodeRecord } from "./record_codec.ts";
import { backoff } from "./retry.ts";
import type { CheckpointStore } from "./store.ts";
import { Union } from "./union.ts";

/** What the owner needs from the platform. */
export type CheckpointHost = Pick<Host, "now" | "random" | "sleep">;

/** Options of {@link Checkpoint.open}. */
export interface CheckpointOptions {
  /** Undefined: nothing is kept, and every statement counts as recorded. */
  readonly store: CheckpointStore | undefined;
  readonly host: CheckpointHost;
  readonly pipeline: string;
  readonly stages: readonly string[];
  /** Accept a checkpoint that another pipeline wrote. */
  readonly acceptChanged: boolean;
  readonly onWarning: (warning: StoreWarning) => void;
}

/** What else a record says about its source. */
export interface RecordDetails {
  readonly version?: string | undefined;
  readonly failure?: string;
}

interface Waiting {
  readonly record: CheckpointRecord;
  readonly bytes: Uint8Array;
  readonly done: (recorded: boolean) => void;
}

/**
 * What is known of each open store. A store yields a record to its handle once, so that a
 * second run with the same store object starts from what the first one knew.
 */
const known = new WeakMap<CheckpointStore, Union>();

/** About four seconds in all: long enough for a busy disk, short enough for a full one. */
const APPEND_RETRY = { attempts: 6, delay: 100, factor: 2, maxDelay: 2_000 };
/** Bounds what one append holds in memory and how long it takes. */
const LARGEST_APPEND = 16_384;

/**
 * The owner of a run's ledger and store: facts go in, and statements about sources come to
 * lie on disk. Appends clock themselves: while one is on its way the next gathers, so a lone
 * statement is durable at once and a flood shares its syncs (group commit, DeWitt et al.
 * 1984). Once open it never throws into the pipeline.
 */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #ledger = new Ledger();
  readonly #union: Union;
  /** Statements that are on their way to disk: they count once they are there. */
  readonly #stated = new Map<string, CheckpointRecord>();
  #waiting: Waiting[] = [];
  #appending: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #failure: TidemarkError | undefined;
  #closed = false;

  private constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#union = (options.store && known.get(options.store)) ??
      new Union(() => options.host.random());
    if (options.store !== undefined) known.set(options.store, this.#union);
  }

  /**
   * Checks the manifest and reads what all writers recorded.
   * @throws {TidemarkError} the manifest's errors, or what the store throws on opening.
   */
  static async open(options: CheckpointOptions): Promise<Checkpoint> {
    const checkpoint = new Checkpoint(options);
    const { store, pipeline, stages } = options;
    if (store !== undefined) {
      const manifest = await store.manifest(encodeManifest(pipeline, stages));
      checkManifest(manifest, pipeline, stages, {
        where: store.location,
        acceptChanged: options.acceptChanged,
      });
      await checkpoint.refresh();
    }
    return checkpoint;
  }

  /** Whether statements outlive the run. */
  get isKept(): boolean {
    return this.#options.store !== undefined;
  }

  /** How many sources are recorded complete. */
  get completeCount(): number {
    return this.#union.completeCount;
  }

  /** Why the store stopped taking records, once retrying did not help. */
  get failure(): TidemarkError | undefined {
    return this.#failure;
  }

  /** Takes in what other writers have recorded since the last time. One reading at a time. */
  async refresh(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined || this.#closed) return;
    this.#refreshing ??= this.#readAll(store).finally(() => this.#refreshing = undefined);
    await this.#refreshing;
  }

  async #readAll(store: CheckpointStore): Promise<void> {
    for await (const { origin, records } of store.read()) {
      const faults = { damaged: 0, newer: 0 };
      for (const bytes of records) {
        const fault = this.#union.addEncoded(bytes);
        if (fault !== undefined) faults[fault]++;
      }
      // Nobody listens any more, and what is left comes with the next reading.
      if (this.#closed) return;
      if (faults.damaged > 0) {
        this.#warn(
          `${
            printable(origin)
          }: ${faults.damaged} damaged records skipped; their sources run again`,
          origin,
        );
      }
      if (faults.newer > 0) {
        this.#warn(
          `${
            printable(origin)
          }: ${faults.newer} records of a newer release skipped; update tidemark, ` +
            `or their sources run again`,
          origin,
        );
      }
    }
  }

  /** For each source, in order, whether it is recorded complete in that version. */
  areComplete(sources: readonly { readonly id: string; readonly version?: string }[]): boolean[] {
    return sources.map(({ id, version }) => this.#union.isComplete(id, version));
  }

  /**
   * Takes facts in and says which sources they completed. Never throws. A contradiction
   * about a source that is recorded complete is undone durably.
   */
  apply(facts: Iterable<Fact>): string[] {
    if (this.#closed) return [];
    const completed: string[] = [];
    for (const change of this.#ledger.apply(facts)) {
      if (change.kind === "completed") completed.push(change.source);
      else this.#anomaly(change);
    }
    return completed;
  }

  /** Whether every descendant of the source is drained in this run. */
  isDrained(source: string): boolean {
    return this.#ledger.isComplete(source);
  }

  /** How many of the source's known tasks are not drained. */
  pending(source: string): number {
    return this.#ledger.pending(source);
  }

  /** Drops a source's account, once no more facts about it can come. */
  forget(source: string): void {
    this.#ledger.forget(source);
  }

  /**
   * Makes a statement about a source. Never rejects.
   * @returns whether it is on disk. A source that is not drained is not recorded complete.
   */
  record(source: string, state: RecordState, details: RecordDetails = {}): Promise<boolean> {
    const { store, host } = this.#options;
    if (this.#closed || this.#failure !== undefined) return Promise.resolve(false);
    if (state === "complete" && !this.#ledger.isComplete(source)) return Promise.resolve(false);
    const stated = this.#stated.get(source);
    const record = {
      source,
      state,
      clock: stated === undefined ? this.#union.nextClock(source) : stated.clock + 1,
      writer: store?.writer ?? "",
      at: host.now(),
      ...(details.version === undefined ? {} : { version: details.version }),
      ...(details.failure === undefined ? {} : { failure: details.failure }),
    };
    if (store === undefined) {
      this.#union.add(record);
      return Promise.resolve(true);
    }
    let bytes: Uint8Array;
    try {
      bytes = encodeRecord(record);
    } catch (thrown) {
      this.#warn(`source ${printable(source)} cannot be recorded: ${messageOf(thrown)}`, source);
      return Promise.resolve(false);
    }
    this.#stated.set(source, record);
    return new Promise((done) => {
      this.#waiting.push({ record, bytes, done });
      this.#appending ??= this.#appendAll(store);
    });
  }

  /** Resolves when everything that was stated is on disk, or the store has given up. */
  async flush(): Promise<void> {
    await this.#appending;
  }

  /**
   * Flushes, and ends a refresh that is under way; what comes later is dropped. The store
   * stays open: its opener closes it.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    await this.#refreshing?.catch(() => {});
  }

  async #appendAll(store: CheckpointStore): Promise<void> {
    // Statements of the same turn go into the first append together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LARGEST_APPEND);
      const recorded = await this.#append(store, batch.map((w) => w.bytes));
      for (const { record, done } of batch) {
        if (recorded) this.#union.add(record);
        if (this.#stated.get(record.source) === record) this.#stated.delete(record.source);
        done(recorded);
      }
    }
    this.#appending = undefined;
  }

  async #append(store: CheckpointStore, records: readonly Uint8Array[]): Promise<boolean> {
    const { host } = this.#options;
    for (let attempt = 1; this.#failure === undefined; attempt++) {
      try {
        await store.append(records);
        return true;
      } catch (thrown) {
        if (attempt === APPEND_RETRY.attempts) {
          this.#failure = new TidemarkError(
            "CHECKPOINT_WRITE",
            `the checkpoint ${store.location} cannot be written: ${messageOf(thrown)}`,
            { cause: thrown, subject: store.location },
          );
        } else {
          await host.sleep(backoff(APPEND_RETRY, attempt, host));
        }
      }
    }
    return false;
  }

  #anomaly(change: Exclude<LedgerChange, { kind: "completed" }>): void {
    if (change.kind === "rejected") {
      this.#warn(`a fact was ignored: ${change.reason}`);
      return;
    }
    const { source, reason } = change;
    const standing = this.#stated.get(source) ?? this.#union.get(source);
    const undone = change.wasComplete && standing?.state === "complete";
    this.#warn(
      `source ${printable(source)}: ${reason}. ` +
        (undone
          ? "Its completion is undone; it runs again next time"
          : "It stays open and runs again next time"),
      source,
    );
    if (undone) void this.record(source, "reopened", { version: standing.version });
  }

  #warn(message: string, subject?: string): void {
    this.#options.onWarning({ message, ...(subject === undefined ? {} : { subject }) });
  }
}
