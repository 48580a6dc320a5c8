import type { CheckpointRecord } from "../../core/record.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import type { CheckpointStore, RecordBatch } from "../../core/store.ts";
import { LogStore } from "../../examples/log_store/log_store.ts";
import type { ConformanceCase, OpenOptions } from "../conformance/mod.ts";

/** A store with one deliberate bug, and how the suite should see it. */
export interface Mutant {
  /** What the bug does, after "the store". */
  readonly bug: string;
  /** The name of the case that must fail. */
  readonly expected: string;
  /** Other cases that may fail because they concern the same thing. */
  readonly related?: RegExp | ((item: ConformanceCase) => boolean);
  /** In memory rather than in files. */
  readonly memory?: boolean;
  /** Opens the store with its bug. */
  open(directory: string, options: OpenOptions): Promise<CheckpointStore>;
}

/** A sound store of which some operations are replaced. */
export function replaced(
  inner: CheckpointStore,
  operations: Partial<Pick<CheckpointStore, "manifest" | "read" | "append" | "close">>,
): CheckpointStore {
  const { writer, location, capabilities } = inner;
  const store: CheckpointStore = {
    writer,
    location,
    capabilities,
    manifest: (proposed) => inner.manifest(proposed),
    read: () => inner.read(),
    append: (records) => inner.append(records),
    close: () => inner.close(),
    ...operations,
    [Symbol.asyncDispose]: () => store.close(),
  };
  return store;
}

/** A mutant over the log store that needs no more than its operations. */
export function mutated(
  mutant: Omit<Mutant, "open">,
  operations: (
    inner: CheckpointStore,
    directory: string,
  ) => Parameters<typeof replaced>[1],
): Mutant {
  return {
    ...mutant,
    async open(directory, { onWarning }) {
      const inner = await LogStore.open(directory, onWarning);
      return replaced(inner, operations(inner, directory));
    },
  };
}

/** What a store yields, changed batch by batch. */
export async function* changed(
  inner: CheckpointStore,
  change: (records: readonly Uint8Array[]) => readonly Uint8Array[],
): AsyncGenerator<RecordBatch> {
  for await (const { origin, records } of inner.read()) yield { origin, records: change(records) };
}

/** The record that bytes hold, if they hold one. */
export function recordIn(bytes: Uint8Array): CheckpointRecord | undefined {
  const record = decodeRecord(bytes);
  return typeof record === "string" ? undefined : record;
}

/** The same records, of which sound ones are changed or, with undefined, left out. */
export function rewritten(
  records: readonly Uint8Array[],
  change: (record: CheckpointRecord) => CheckpointRecord | undefined,
): Uint8Array[] {
  return records.flatMap((bytes) => {
    const record = recordIn(bytes);
    if (record === undefined) return [bytes];
    const other = change(record);
    return other === undefined ? [] : other === record ? [bytes] : [encodeRecord(other)];
  });
}

/** Cases in which several stores are open for one checkpoint. */
export const isShared = (item: ConformanceCase): boolean => item.needs.includes("shared");
