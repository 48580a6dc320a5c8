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

/** The longest text in bytes that is decoded here. */
const SHORT = 64;
/** The most bytes that a unit of a JavaScript text takes up. */
const BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where records are written one after another: a buffer each would cost more than its content. */
class Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = 0;

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}

/** Small enough to be kept alive, or cloned for another thread, by a single record. */
const SLAB_SIZE = 8_192;
let shared = new Slab(SLAB_SIZE);

function slabFor(size: number): Slab {
  if (size > SLAB_SIZE) return new Slab(size);
  if (shared.used + size > SLAB_SIZE) shared = new Slab(SLAB_SIZE);
  return shared;
}

/**
 * Encodes a record with a checksum. The bytes may be a part of a buffer that other records are
 * in too.
 * @throws {TidemarkError} `RECORD_INVALID` for an empty source id or a clock out of range.
 */
export function encodeRecord(record: CheckpointRecord): Uint8Array {
  const { source, writer, version, failure, clock } = record;
  if (source === "") {
    throw new TidemarkError("RECORD_INVALID", "a record needs a source id that is not empty");
  }
  if (!Number.isSafeInteger(clock) || clock < 1) {
    throw new TidemarkError(
      "RECORD_INVALID",
      `a record's clock is an integer from 1, not ${clock}`,
      { subject: source },
    );
  }
  const slab = slabFor(
    HEADER + sizeBound(source) + sizeBound(writer) + sizeBound(version) + sizeBound(failure),
  );
  const start = slab.used;
  const { bytes, view } = slab;
  bytes[start + 4] = RECORD_FORMAT;
  bytes[start + 5] = RECORD_STATES.indexOf(record.state);
  bytes[start + 6] = (version === undefined ? 0 : HAS_VERSION) |
    (failure === undefined ? 0 : HAS_FAILURE);
  view.setFloat64(start + 7, clock, true);
  view.setFloat64(start + 15, record.at, true);
  let end = writeText(slab, start + HEADER, source);
  end = writeText(slab, end, writer);
  if (version !== undefined) end = writeText(slab, end, version);
  if (failure !== undefined) end = writeText(slab, end, failure);
  const encoded = bytes.subarray(start, end);
  view.setUint32(start, crc32c(encoded, 4), true);
  slab.used = end;
  return encoded;
}

function sizeBound(text: string | undefined): number {
  return text === undefined ? 0 : 4 + BYTES_PER_UNIT * text.length;
}

/** Writes a text after its length. Returns where it ends. */
function writeText({ bytes, view }: Slab, at: number, text: string): number {
  const start = at + 4;
  let length = writeAscii(bytes, start, text);
  let kind = 0;
  if (length < 0 && text.isWellFormed()) {
    length = encoder.encodeInto(text, bytes.subarray(start)).written;
  } else if (length < 0) {
    kind = UTF16;
    length = text.length * 2;
    for (let i = 0; i < text.length; i++) view.setUint16(start + i * 2, text.charCodeAt(i), true);
  }
  view.setUint32(at, (length | kind) >>> 0, true);
  return start + length;
}

/** Writes a text if it is ASCII, as most ids are. Returns its length, or -1 if it is not. */
function writeAscii(bytes: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return -1;
    bytes[start + i] = unit;
  }
  return text.length;
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
  const sourceEnd = textEnd(view, HEADER);
  const writerEnd = textEnd(view, sourceEnd);
  const versionEnd = flags & HAS_VERSION ? textEnd(view, writerEnd) : writerEnd;
  const end = flags & HAS_FAILURE ? textEnd(view, versionEnd) : versionEnd;
  if (end !== bytes.length) return "damaged";
  const source = readText(bytes, view, HEADER, sourceEnd);
  const writer = readWriter(bytes, view, sourceEnd, writerEnd);
  if (!source || writer === undefined) return "damaged";
  const record: Writable<CheckpointRecord> = {
    source,
    state,
    clock,
    writer,
    at: view.getFloat64(15, true),
  };
  if (flags & HAS_VERSION) {
    const version = readText(bytes, view, writerEnd, versionEnd);
    if (version === undefined) return "damaged";
    record.version = version;
  }
  if (flags & HAS_FAILURE) {
    const failure = readText(bytes, view, versionEnd, end);
    if (failure === undefined) return "damaged";
    record.failure = failure;
  }
  return record;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Where the text at a place ends; beyond the end of everything if it is not there. */
function textEnd(view: DataView, at: number): number {
  return at + 4 > view.byteLength ? Infinity : at + 4 + (view.getUint32(at, true) & ~UTF16);
}

function readText(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): string | undefined {
  return decodeText(bytes.subarray(at + 4, end), view.getUint32(at, true) >= UTF16);
}

/** The writer that was read last, since most records have the same one as the one before. */
let lastWriter = { bytes: new Uint8Array(), text: "" };

function readWriter(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): string | undefined {
  // With its length in front, which says how it is encoded too.
  if (isAt(bytes, at, end, lastWriter.bytes)) return lastWriter.text;
  const text = readText(bytes, view, at, end);
  if (text !== undefined) lastWriter = { bytes: bytes.slice(at, end), text };
  return text;
}

function isAt(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** The text if it is short and ASCII, as most ids are: a decoder's call costs more in Deno. */
function decodeAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT) return undefined;
  let all = 0;
  for (let i = 0; i < bytes.length; i++) all |= bytes[i]!;
  return all < 0x80 ? String.fromCharCode.apply(null, bytes as unknown as number[]) : undefined;
}

function decodeText(bytes: Uint8Array, utf16: boolean): string | undefined {
  if (!utf16) {
    const ascii = decodeAscii(bytes);
    if (ascii !== undefined) return ascii;
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
