import { type CheckpointRecord, decodeRecord, encodeRecord } from "../../mod.ts";

/** How the writers of the fuzzed files work. */
export const SHAPES = ["one", "tiny", "commits", "tree", "large", "wrapped"] as const;
export type Shape = (typeof SHAPES)[number];

const TEXT = "x".repeat(70_000);

function record(label: string, number: number, length: number): CheckpointRecord {
  const state = number % 11 === 0 ? "failed" : number % 13 === 0 ? "reopened" : "complete";
  return {
    source: `${label}/${number}`,
    state,
    clock: 1 + (number % 5),
    writer: label,
    at: 1.7e12 + number,
    ...(number % 3 === 0 ? { version: `v${number}${TEXT.slice(0, length)}` } : {}),
    ...(state === "failed" ? { failure: `because of ${TEXT.slice(0, length)}` } : {}),
  };
}

function batches(
  label: string,
  sizes: readonly number[],
  lengthOf: (number: number) => number,
): CheckpointRecord[][] {
  let next = 0;
  return sizes.map((size) =>
    Array.from({ length: size }, () => record(label, next, lengthOf(next++)))
  );
}

/** The appends of a writer of this shape. Its label is in every id. */
export function appendsOf(shape: Shape, label: string): CheckpointRecord[][] {
  switch (shape) {
    case "one":
      return batches(label, [1], () => 0);
    case "tiny":
      return batches(label, [2, 3, 1], () => 10);
    case "commits":
      return batches(label, Array.from({ length: 90 }, (_, i) => 1 + (i % 4)), (n) => n % 90);
    case "tree":
      // Enough for branches below the root.
      return batches(label, [1, 700, 1500, 1, 900, 40, 3], (n) => 20 + (n % 300));
    case "large":
      return batches(label, [3, 8, 1, 12, 2], (n) => [9_000, 66_000, 40, 21_000][n % 4]!);
    case "wrapped":
      // Enough commits for SQLite to copy its log back and to begin it again.
      return batches(label, Array.from({ length: 1_150 }, () => 1), (n) => n % 40);
  }
}

/** What a record says, as text: two records that say the same are the same completion. */
export function identityOf({ source, state, clock, version }: CheckpointRecord): string {
  return JSON.stringify([source, state, clock, version ?? ""].map(shortened));
}

function shortened(value: string | number): string | number {
  return typeof value === "string" && value.length > 100
    ? `${value.slice(0, 50)}…${value.length}${value.replaceAll("x", "")}`
    : value;
}

/** Encodes what {@link appendsOf} gives. */
export function encoded(records: readonly CheckpointRecord[]): Uint8Array[] {
  return records.map(encodeRecord);
}

/** The identity of an encoded record; undefined when the record's own check refuses it. */
export function decodedIdentity(bytes: Uint8Array): string | undefined {
  const decoded = decodeRecord(bytes);
  return typeof decoded === "string" ? undefined : identityOf(decoded);
}
