import type { CheckpointRecord, RecordState } from "../../core/record.ts";

/** A record that became durable. */
export interface DurableRecord {
  readonly record: CheckpointRecord;
  readonly writer: string;
  /** How many records had become durable before it. */
  readonly order: number;
  /** What became of the append that it belongs to. */
  readonly append: AppendState;
}

/** How an append stands. */
export interface AppendState {
  /** It resolved. */
  isAcknowledged: boolean;
  /** A crash undid it before it resolved: some may have read it, others never will. */
  isForgotten: boolean;
}

const RANK: Record<RecordState, number> = { failed: 0, complete: 1, reopened: 2 };

/** The merge as design.md words it, without any regard for cost: what `Union` is compared with. */
export function prevailing(records: readonly DurableRecord[]): CheckpointRecord | undefined {
  let best: CheckpointRecord | undefined;
  for (const { record } of records) if (best === undefined || beats(record, best)) best = record;
  return best;
}

/** Whether one record prevails over another, by clock, then state, then content. */
export function beats(a: CheckpointRecord, b: CheckpointRecord): boolean {
  if (a.clock !== b.clock) return a.clock > b.clock;
  if (a.state !== b.state) return RANK[a.state] > RANK[b.state];
  const text = (r: CheckpointRecord) => [r.version ?? "", r.failure ?? ""];
  const [versionA, failureA] = text(a);
  const [versionB, failureB] = text(b);
  return versionA === versionB ? failureA! > failureB! : versionA! > versionB!;
}

/** Every sound record that became durable, in the order in which it did. */
export class History {
  readonly #bySource = new Map<string, DurableRecord[]>();
  /** How many there are. */
  length = 0;

  add(record: CheckpointRecord, writer: string, append: AppendState): void {
    const added = { record, writer, order: this.length++, append };
    const records = this.#bySource.get(record.source);
    if (records === undefined) this.#bySource.set(record.source, [added]);
    else records.push(added);
  }

  /** What is on the shelf about a source. */
  of(source: string): DurableRecord[] {
    return this.#ever(source).filter((r) => !r.append.isForgotten);
  }

  /** What is on the shelf about all sources. */
  all(): DurableRecord[] {
    return [...this.#bySource.keys()].flatMap((source) => this.of(source));
  }

  #ever(source: string): readonly DurableRecord[] {
    return this.#bySource.get(source) ?? [];
  }

  /**
   * Whether a reader who had everything from before `since`, and perhaps some of what came
   * later, may believe that the source is complete in the version (`complete`), or that it
   * is not.
   */
  mayBelieve(
    complete: boolean,
    source: string,
    version: string | undefined,
    reader: { readonly writer: string; readonly since: number },
  ): boolean {
    const says = ({ record }: DurableRecord) =>
      record.state === "complete" && (version === undefined || record.version === version);
    const records = this.#ever(source);
    // A reader's own appends reach it by their acknowledgement, not by reading; what was
    // forgotten since may have been read or not.
    const known = records.filter((r) =>
      r.order < reader.since && !r.append.isForgotten &&
      (r.writer !== reader.writer || r.append.isAcknowledged)
    );
    const base = prevailing(known);
    const baseSays = known.some((r) => r.record === base && says(r));
    if (baseSays === complete) return true;
    return records.some((r) =>
      !known.includes(r) && says(r) === complete && (base === undefined || beats(r.record, base))
    );
  }
}
