import type { CheckpointStore } from "../../core/store.ts";

/** A record that says its number, padded to a length. */
export function numbered(number: number, length = 12): Uint8Array {
  const record = new Uint8Array(Math.max(4, length));
  new DataView(record.buffer).setUint32(0, number);
  return record;
}

/** Records with the numbers from `start` on. */
export function numberedRange(start: number, count: number, length?: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => numbered(start + index, length));
}

/** The number that {@link numbered} wrote. */
export function numberOf(record: Uint8Array): number {
  if (record.byteLength < 4) {
    throw new Error(
      `read() must yield records as they were appended; found one of ${record.byteLength} bytes`,
    );
  }
  return new DataView(record.buffer, record.byteOffset, record.byteLength).getUint32(0);
}

/** Everything that a read yields, in its order. */
export async function readAll(store: CheckpointStore): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const { records } of store.read()) all.push(...records);
  return all;
}

/** The numbers of everything that a read yields, in its order. */
export async function readNumbers(store: CheckpointStore): Promise<number[]> {
  return (await readAll(store)).map(numberOf);
}

/** The numbers from `start` on. */
export function range(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

/** Bytes that look random and are the same in every run. */
export function scrambled(length: number, seed: number): Uint8Array {
  let state = seed >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}
