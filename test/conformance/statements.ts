import { Checkpoint } from "../../core/checkpoint.ts";
import type { CheckpointRecord, RecordState } from "../../core/record.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import type { CheckpointStore } from "../../core/store.ts";
import { Union } from "../../core/union.ts";
import { processHost } from "../../executors/host.ts";

/** A record as an engine would make it. */
export function statement(
  source: string,
  state: RecordState,
  clock: number,
  more: Partial<CheckpointRecord> = {},
): CheckpointRecord {
  return { source, state, clock, writer: "w", at: 1_700_000_000_000, ...more };
}

/** Appends records as one batch. */
export async function appendStatements(
  store: CheckpointStore,
  ...records: readonly CheckpointRecord[]
): Promise<void> {
  await store.append(records.map(encodeRecord));
}

/** Adds what a store yields to a union. */
export async function readInto(union: Union, store: CheckpointStore): Promise<Union> {
  for await (const { records } of store.read()) {
    for (const bytes of records) {
      const record = decodeRecord(bytes);
      if (typeof record !== "string") union.add(record);
    }
  }
  return union;
}

/** What everything that a store yields says together. */
export function readUnion(store: CheckpointStore): Promise<Union> {
  return readInto(new Union(), store);
}

/** Opens the engine's owner of a checkpoint on a store, with the real clock. */
export function openOwner(store: CheckpointStore, warnings: string[] = []): Promise<Checkpoint> {
  return Checkpoint.open({
    store,
    host: processHost,
    pipeline: "conformance",
    stages: ["source", "sink"],
    acceptChanged: false,
    onWarning: ({ message }) => void warnings.push(message),
  });
}

/** Completes a source that fans out into so many tasks, and records it. */
export async function completeSource(
  owner: Checkpoint,
  source: string,
  children = 2,
  version?: string,
): Promise<boolean> {
  owner.apply([
    { kind: "opened", source },
    { kind: "expanded", source, path: [], children },
    ...Array.from(
      { length: children },
      (_, i) => ({ kind: "drained", source, path: [i] }) as const,
    ),
  ]);
  return await owner.record(source, "complete", { version });
}
