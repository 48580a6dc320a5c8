import { Buffer } from "node:buffer";
import type { CheckpointRecord } from "../mod.ts";

/**
 * The id of a source as a file listing gives it: a path, and a flat string rather than a
 * tree of concatenations.
 */
export function sourceName(number: number): string {
  return Buffer.from(`data/part-${String(number).padStart(8, "0")}.jsonl`).toString("latin1");
}

/** The records that a writer makes of completed sources. */
export function completions(start: number, count: number, writer: string): CheckpointRecord[] {
  const at = Date.now();
  return Array.from({ length: count }, (_, i) => ({
    source: sourceName(start + i),
    state: "complete",
    clock: 1,
    writer,
    at,
  }));
}
