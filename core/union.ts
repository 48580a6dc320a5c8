import { type CheckpointRecord, compareStandings, type Standing } from "./record.ts";
import { parseRecord, type RecordFault, sourceOf } from "./record_codec.ts";
import { doubled, TextHeap } from "./text_heap.ts";
import { TextIndex } from "./text_index.ts";

/**
 * What all writers' records together say: per source the statement that prevails. Adding is
 * commutative, associative and idempotent, so it makes no difference in which order files
 * are read (a state-based CRDT: Shapiro, Preguiça, Baquero and Zawirski 2011).
 */
export class Union {
  readonly #sources: TextIndex;
  /** By a source's number: the place of its state and clock in `#pairs`. */
  #standings = new Uint32Array(16);
  /** By a source's number, once a version was met: that of its version's text + 1, or 0. */
  #versions = new Uint32Array(0);
  readonly #texts = new TextHeap();
  readonly #failures = new Map<number, string>();
  /** The states and clocks there are: the same few serve most sources. */
  readonly #pairs: Standing[] = [];
  readonly #places = new Map<Standing["state"], Map<number, number>>();
  #complete = 0;

  /**
   * An empty one.
   * @param random From 0 to below 1; a run gives its host's. It keeps those who choose ids from
   * choosing ones that are slow to tell apart.
   * @default always 0
   */
  constructor(random: () => number = () => 0) {
    this.#sources = new TextIndex(random);
  }

  /** Takes a record in. Returns whether it prevails over what was known. */
  add(record: CheckpointRecord): boolean {
    const before = this.#sources.size;
    return this.#take(this.#sources.add(record.source), before, record);
  }

  /**
   * Takes in a record as a store yields it: verified, and the same as adding what
   * {@link decodeRecord} makes of it. Whatever the bytes are, it does not throw.
   * @returns what is wrong with the record, if anything is.
   */
  addEncoded(bytes: Uint8Array): RecordFault | undefined {
    const parts = parseRecord(bytes);
    if (typeof parts === "string") return parts;
    const before = this.#sources.size;
    let number = parts.isUtf16
      ? undefined
      : this.#sources.addAscii(bytes, parts.sourceStart, parts.sourceEnd);
    if (number === undefined) {
      const source = sourceOf(bytes, parts);
      if (source === undefined) return "damaged";
      number = this.#sources.add(source);
    }
    this.#take(number, before, parts);
    return undefined;
  }

  /** The statement about the source that prevails. */
  get(source: string): Standing | undefined {
    const number = this.#sources.find(source);
    return number < 0 ? undefined : this.#standing(number);
  }

  /**
   * Whether the source is complete. When a version is given, only its completion in that
   * version counts.
   */
  isComplete(source: string, version?: string): boolean {
    const number = this.#sources.find(source);
    if (number < 0 || this.#pair(number).state !== "complete") return false;
    if (version === undefined) return true;
    const text = this.#versions[number] ?? 0;
    if (text === 0) return false;
    this.#texts.stage(version);
    return this.#texts.isStaged(text - 1);
  }

  /** How many sources are complete in some version. */
  get completeCount(): number {
    return this.#complete;
  }

  /** The clock that the next statement about the source takes. */
  nextClock(source: string): number {
    const number = this.#sources.find(source);
    return number < 0 ? 1 : this.#pair(number).clock + 1;
  }

  #pair(number: number): Standing {
    return this.#pairs[this.#standings[number]!]!;
  }

  #standing(number: number): Standing {
    const text = this.#versions[number] ?? 0;
    const failure = this.#failures.get(number);
    if (text === 0 && failure === undefined) return this.#pair(number);
    return {
      ...this.#pair(number),
      ...(text === 0 ? {} : { version: this.#texts.get(text - 1) }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** @param known How many sources there were before this one was met. */
  #take(number: number, known: number, statement: Standing): boolean {
    if (number < known) {
      const pair = this.#pair(number);
      const isTie = statement.clock === pair.clock && statement.state === pair.state;
      if (compareStandings(statement, isTie ? this.#standing(number) : pair) <= 0) return false;
      if (pair.state === "complete") this.#complete--;
    }
    if (statement.state === "complete") this.#complete++;
    this.#put(number, statement);
    return true;
  }

  #put(number: number, { state, clock, version, failure }: Standing): void {
    if (number >= this.#standings.length) this.#standings = doubled(this.#standings);
    this.#standings[number] = this.#placeOf(state, clock);
    if (version !== undefined && number >= this.#versions.length) {
      const versions = new Uint32Array(this.#standings.length);
      versions.set(this.#versions);
      this.#versions = versions;
    }
    if (number < this.#versions.length) {
      this.#versions[number] = version === undefined ? 0 : this.#keep(version) + 1;
    }
    if (failure !== undefined) this.#failures.set(number, failure);
    else if (this.#failures.size > 0) this.#failures.delete(number);
  }

  #keep(text: string): number {
    this.#texts.stage(text);
    return this.#texts.keep();
  }

  #placeOf(state: Standing["state"], clock: number): number {
    let places = this.#places.get(state);
    if (places === undefined) this.#places.set(state, places = new Map());
    let place = places.get(clock);
    if (place === undefined) {
      place = this.#pairs.push({ state, clock }) - 1;
      places.set(clock, place);
    }
    return place;
  }
}
