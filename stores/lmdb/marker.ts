/** The key of the entry that says which format a file's records are in. */
export const MARKER_KEY = 0;
/** The key of a file's first block of records. */
export const FIRST_KEY = 1;
/** The highest key: LMDB's integer keys have 32 bits. */
export const LAST_KEY = 0xffff_ffff;
/** The format that this version writes and reads. */
export const FILE_FORMAT = 1;

const TEXT = "tidemark records ";

/** The marker's value. */
export function encodeMarker(format: number = FILE_FORMAT): Uint8Array {
  return new TextEncoder().encode(`${TEXT}${format}`);
}

/** The format that a marker's value names; undefined when it is no marker of ours. */
export function decodeMarker(value: Uint8Array): number | undefined {
  if (value.length > TEXT.length + 9) return undefined;
  const text = new TextDecoder().decode(value);
  if (!text.startsWith(TEXT)) return undefined;
  const number = text.slice(TEXT.length);
  return /^[1-9][0-9]*$/.test(number) ? Number(number) : undefined;
}
