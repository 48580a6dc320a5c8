const BYTES_AT_ONCE = 8;

/**
 * Table `k`, at `256 * k`, has the remainder of a byte that `k` more bytes follow, so that eight
 * bytes need no step of their own each (slicing by 8: Kounavis and Berry 2005).
 */
const TABLES: Int32Array = (() => {
  const tables = new Int32Array(256 * BYTES_AT_ONCE);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    tables[i] = c;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = tables[before & 0xff]! ^ (before >>> 8);
  }
  return tables;
})();

/** The CRC-32C (Castagnoli, RFC 3720) of the bytes from `start` on, as an unsigned integer. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  let crc = -1;
  let i = start;
  for (const end = bytes.length - BYTES_AT_ONCE; i <= end; i += BYTES_AT_ONCE) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = TABLES[1792 + (crc & 0xff)]! ^ TABLES[1536 + ((crc >>> 8) & 0xff)]! ^
      TABLES[1280 + ((crc >>> 16) & 0xff)]! ^ TABLES[1024 + (crc >>> 24)]! ^
      TABLES[768 + bytes[i + 4]!]! ^ TABLES[512 + bytes[i + 5]!]! ^
      TABLES[256 + bytes[i + 6]!]! ^ TABLES[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = TABLES[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
