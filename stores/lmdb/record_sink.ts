import { recordsOf } from "../record_block.ts";
import type { ValueSink } from "./tree_cursor.ts";

/** Takes a file's blocks, in the order of their keys, and checks that they belong there. */
export class RecordSink implements ValueSink {
  readonly records: Uint8Array[] = [];
  bytes = 0;
  readonly #identity: number | undefined;
  #next: number;
  /** The first thing that was found wrong. */
  damage: string | undefined;

  /**
   * @param identity The file's; undefined where it is not known.
   * @param after The key after which values follow without gaps.
   */
  constructor(identity: number | undefined, after: number) {
    this.#identity = identity;
    this.#next = after + 1;
  }

  get count(): number {
    return this.records.length;
  }

  add(key: number, value: Uint8Array): void {
    if (key !== this.#next) this.damage ??= "entries are missing";
    this.#next = key + 1;
    const records = recordsOf(value, this.#identity, key);
    if (records === undefined) {
      this.damage ??= "an entry does not belong to it";
      return;
    }
    for (const record of records) this.records.push(record);
    this.bytes += value.length;
  }
}
