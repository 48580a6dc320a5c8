/**
 * A record as bytes. Layout, little-endian, version 1:
 * `crc32c:u32 (of all that follows) | format:u8 | state:u8 | flags:u8 | clock:f64 | at:f64 |
 * source | writer | version? | failure?`, each text as `length:u32` and UTF-8, or UTF-16 when
 * the text has lone surrogates, which UTF-8 cannot hold.
 */
import { crc32c } from "./crc32c.ts";
import { TidemarkError } from "./errors.ts";
import { type CheckpointRecord, RECORD_STATES } from "./record.ts";

/** The format that {@link encodeRecord} writes. */
export const RECORD_FORMAT = 1;

const HEADER = 4 + 3 + 8 + 8;
const HAS_VERSION = 1;
const HAS_FAILURE = 2;
/** Set in a text's length when it is UTF-16. */
const UTF16 = 0x8000_0000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes a record with a checksum.
 * @throws {TidemarkError} `RECORD_INVALID` for an empty source id or a clock out of range.
 */
export function encodeRecord(record: CheckpointRecord): Uint8Array {
  if (record.source === "") {
    throw new TidemarkError("RECORD_INVALID", "a record needs a source id that is not empty");
  }
  if (!Number.isSafeInteger(record.clock) || record.clock < 1) {
    throw new TidemarkError(
      "RECORD_INVALID",
      `a record's clock is an integer from 1, not ${record.clock}`,
      {
        subject: record.source,
      },
    );
  }
  const texts = [record.source, record.writer];
  let flags = 0;
  if (record.version !== undefined) {
    flags |= HAS_VERSION;
    texts.push(record.version);
  }
  if (record.failure !== undefined) {
    flags |= HAS_FAILURE;
    texts.push(record.failure);
  }
  const encoded = texts.map(encodeText);
  const bytes = new Uint8Array(encoded.reduce((sum, t) => sum + 4 + t.bytes.length, HEADER));
  const view = new DataView(bytes.buffer);
  bytes[4] = RECORD_FORMAT;
  bytes[5] = RECORD_STATES.indexOf(record.state);
  bytes[6] = flags;
  view.setFloat64(7, record.clock, true);
  view.setFloat64(15, record.at, true);
  let offset = HEADER;
  for (const { bytes: text, utf16 } of encoded) {
    view.setUint32(offset, (text.length | (utf16 ? UTF16 : 0)) >>> 0, true);
    bytes.set(text, offset + 4);
    offset += 4 + text.length;
  }
  view.setUint32(0, crc32c(bytes, 4), true);
  return bytes;
}

/** Why bytes are not a record that this release can read. */
export type RecordFault = "damaged" | "newer";

/**
 * Decodes and verifies a record. Never throws.
 * @returns the record, `"damaged"`, or `"newer"` for a sound record of a newer format.
 */
export function decodeRecord(bytes: Uint8Array): CheckpointRecord | RecordFault {
  if (bytes.length < HEADER) return "damaged";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== crc32c(bytes, 4)) return "damaged";
  if (bytes[4]! > RECORD_FORMAT) return "newer";
  const state = RECORD_STATES[bytes[5]!];
  const flags = bytes[6]!;
  const clock = view.getFloat64(7, true);
  if (
    bytes[4] !== RECORD_FORMAT || state === undefined || !Number.isSafeInteger(clock) || clock < 1
  ) {
    return "damaged";
  }
  let offset = HEADER;
  const next = (): string | undefined => {
    if (offset + 4 > bytes.length) return undefined;
    const head = view.getUint32(offset, true);
    const length = head & ~UTF16;
    const start = offset + 4;
    offset = start + length;
    if (offset > bytes.length) return undefined;
    return decodeText(bytes.subarray(start, offset), head >= UTF16);
  };
  const source = next();
  const writer = next();
  const version = flags & HAS_VERSION ? next() : "";
  const failure = flags & HAS_FAILURE ? next() : "";
  if (
    !source || writer === undefined || version === undefined || failure === undefined ||
    offset !== bytes.length
  ) {
    return "damaged";
  }
  return {
    source,
    state,
    clock,
    writer,
    at: view.getFloat64(15, true),
    ...(flags & HAS_VERSION ? { version } : {}),
    ...(flags & HAS_FAILURE ? { failure } : {}),
  };
}

function encodeText(text: string): { bytes: Uint8Array; utf16: boolean } {
  if (text.isWellFormed()) return { bytes: encoder.encode(text), utf16: false };
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return { bytes, utf16: true };
}

function decodeText(bytes: Uint8Array, utf16: boolean): string | undefined {
  if (!utf16) {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }
  if (bytes.length % 2 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode(view.getUint16(i, true));
  return text;
}
