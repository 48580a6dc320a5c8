/**
 * A record as bytes. Layout, little-endian, version 1:
 * `crc32c:u32 (of all that follows) | format:u8 | state:u8 | flags:u8 | clock:f64 | at:f64 |
 * source | writer | version? | failure?`, each text as `length:u32` and UTF-8, or UTF-16 when
 * the text has lone surrogates, which UTF-8 cannot hold.
 */
import { crc32c } from "./crc32c.ts";
import { TidemarkError } from "./errors.ts";
import { type CheckpointRecord, RECORD_STATES, type Standing } from "./record.ts";

/** The format that {@link encodeRecord} writes. */
export const RECORD_FORMAT = 1;

const HEADER = 4 + 3 + 8 + 8;
/** Of a text's length. */
const LENGTH = 4;
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
  return text === undefined ? 0 : LENGTH + BYTES_PER_UNIT * text.length;
}

/** Writes a text after its length. Returns where it ends. */
function writeText({ bytes, view }: Slab, at: number, text: string): number {
  const start = at + LENGTH;
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

/** What a record says, with its source still in bytes: a text of each id costs the most. */
export interface RecordParts extends Standing {
  readonly writer: string;
  readonly at: number;
  /** Where in the record the source's bytes are. */
  readonly sourceStart: number;
  readonly sourceEnd: number;
  /** Whether they are UTF-16 rather than UTF-8. */
  readonly isUtf16: boolean;
}

/**
 * Verifies a record and takes it apart. Never throws. Whether the source's bytes are a text at
 * all shows when {@link sourceOf} reads them.
 * @returns the parts, `"damaged"`, or `"newer"` for a sound record of a newer format.
 */
export function parseRecord(bytes: Uint8Array): RecordParts | RecordFault {
  if (bytes.length < HEADER || uint32At(bytes, 0) !== crc32c(bytes, 4)) return "damaged";
  if (bytes[4]! > RECORD_FORMAT) return "newer";
  const state = RECORD_STATES[bytes[5]!];
  const flags = bytes[6]!;
  const clock = float64At(bytes, 7);
  if (
    bytes[4] !== RECORD_FORMAT || state === undefined || !Number.isSafeInteger(clock) || clock < 1
  ) {
    return "damaged";
  }
  const sourceEnd = textEnd(bytes, HEADER);
  const writerEnd = textEnd(bytes, sourceEnd);
  const versionEnd = flags & HAS_VERSION ? textEnd(bytes, writerEnd) : writerEnd;
  const end = flags & HAS_FAILURE ? textEnd(bytes, versionEnd) : versionEnd;
  const sourceStart = HEADER + LENGTH;
  if (end !== bytes.length || sourceStart === sourceEnd) return "damaged";
  const writer = readWriter(bytes, sourceEnd, writerEnd);
  if (writer === undefined) return "damaged";
  const parts: Writable<RecordParts> = {
    state,
    clock,
    writer,
    at: float64At(bytes, 15),
    sourceStart,
    sourceEnd,
    isUtf16: isUtf16At(bytes, HEADER),
  };
  if (flags & HAS_VERSION) {
    const version = readText(bytes, writerEnd, versionEnd);
    if (version === undefined) return "damaged";
    parts.version = version;
  }
  if (flags & HAS_FAILURE) {
    const failure = readText(bytes, versionEnd, end);
    if (failure === undefined) return "damaged";
    parts.failure = failure;
  }
  return parts;
}

/** The source of a record that was taken apart; undefined when its bytes are no text. */
export function sourceOf(bytes: Uint8Array, { sourceEnd }: RecordParts): string | undefined {
  return readText(bytes, HEADER, sourceEnd);
}

/**
 * Decodes and verifies a record. Never throws.
 * @returns the record, `"damaged"`, or `"newer"` for a sound record of a newer format.
 */
export function decodeRecord(bytes: Uint8Array): CheckpointRecord | RecordFault {
  const parts = parseRecord(bytes);
  if (typeof parts === "string") return parts;
  const source = sourceOf(bytes, parts);
  if (source === undefined) return "damaged";
  const { state, clock, writer, at, version, failure } = parts;
  const record: Writable<CheckpointRecord> = { source, state, clock, writer, at };
  if (version !== undefined) record.version = version;
  if (failure !== undefined) record.failure = failure;
  return record;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function uint32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>>
    0;
}

/** One for all, since a view of each record's own would cost as much as reading the rest of it. */
const float64 = new DataView(new ArrayBuffer(8));

function float64At(bytes: Uint8Array, at: number): number {
  float64.setUint32(0, uint32At(bytes, at), true);
  float64.setUint32(4, uint32At(bytes, at + 4), true);
  return float64.getFloat64(0, true);
}

/** Whether the text whose length is at a place is UTF-16. */
function isUtf16At(bytes: Uint8Array, at: number): boolean {
  return bytes[at + LENGTH - 1]! >= UTF16 >>> 24;
}

/** Where the text at a place ends; beyond the end of everything if it is not there. */
function textEnd(bytes: Uint8Array, at: number): number {
  return at + LENGTH > bytes.length ? Infinity : at + LENGTH + (uint32At(bytes, at) & ~UTF16);
}

function readText(bytes: Uint8Array, at: number, end: number): string | undefined {
  return decodeText(bytes.subarray(at + LENGTH, end), isUtf16At(bytes, at));
}

/** The writer that was read last, since most records have the same one as the one before. */
let lastWriter = { bytes: new Uint8Array(), text: "" };

function readWriter(bytes: Uint8Array, at: number, end: number): string | undefined {
  // With its length in front, which says how it is encoded too.
  if (isAt(bytes, at, end, lastWriter.bytes)) return lastWriter.text;
  const text = readText(bytes, at, end);
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
