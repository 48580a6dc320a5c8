import { type CheckpointRecord, compareStandings, type Standing } from "./record.ts";

/**
 * What all writers' records together say: per source the statement that prevails. Adding is
 * commutative, associative and idempotent, so it makes no difference in which order files
 * are read (a state-based CRDT: Shapiro, Preguiça, Baquero and Zawirski 2011).
 */
export class Union {
  readonly #standings = new Map<string, Standing>();
  /** Most standings are equal to others: one object serves them all. */
  readonly #shared = new Map<string, Standing>();
  #complete = 0;

  /** Takes a record in. Returns whether it prevails over what was known. */
  add(record: CheckpointRecord): boolean {
    const known = this.#standings.get(record.source);
    if (known !== undefined && compareStandings(record, known) <= 0) return false;
    if (known?.state === "complete") this.#complete--;
    if (record.state === "complete") this.#complete++;
    this.#standings.set(record.source, this.#standing(record));
    return true;
  }

  /** The statement about the source that prevails. */
  get(source: string): Standing | undefined {
    return this.#standings.get(source);
  }

  /**
   * Whether the source is complete. When a version is given, only its completion in that
   * version counts.
   */
  isComplete(source: string, version?: string): boolean {
    const standing = this.#standings.get(source);
    return standing?.state === "complete" &&
      (version === undefined || version === standing.version);
  }

  /** How many sources are complete in some version. */
  get completeCount(): number {
    return this.#complete;
  }

  /** The clock that the next statement about the source takes. */
  nextClock(source: string): number {
    return (this.#standings.get(source)?.clock ?? 0) + 1;
  }

  #standing(record: CheckpointRecord): Standing {
    const { state, clock, version, failure } = record;
    if (version !== undefined || failure !== undefined) {
      return {
        state,
        clock,
        ...(version === undefined ? {} : { version }),
        ...(failure === undefined ? {} : { failure }),
      };
    }
    const key = `${state}${clock}`;
    let shared = this.#shared.get(key);
    if (shared === undefined) this.#shared.set(key, shared = { state, clock });
    return shared;
  }
}
