import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { bare, type MeasuredPassage } from "./quality.ts";

/** A passage that can be compared with others. */
export interface FingerprintedPassage extends MeasuredPassage {
  /** 64 bits of the SHA-256 of its words, in hexadecimal: equal for equal wording. */
  readonly hash: string;
  /** Its MinHash signature in base64: see {@link similarity}. */
  readonly minhash: string;
}

/** How many permutations a signature has. */
export const PERMUTATIONS = 128;
/** How many words a shingle has. */
const SHINGLE = 5;

/**
 * Adds a content hash and a MinHash signature (Broder 1997) over shingles of five words. The
 * permutations are fixed, so signatures of different runs can be compared.
 */
export function fingerprint(passage: MeasuredPassage): FingerprintedPassage {
  const words = passage.text.split(/\s+/).map(bare).filter((word) => word !== "");
  return {
    ...passage,
    hash: createHash("sha256").update(words.join(" ")).digest("hex").slice(0, 16),
    minhash: encodeSignature(signatureOf(words)),
  };
}

/** The smallest value that each permutation gives any shingle. */
export function signatureOf(words: readonly string[]): Uint32Array {
  const hashes = words.map(hashOf);
  const shingle = Math.min(SHINGLE, words.length);
  const signature = new Uint32Array(PERMUTATIONS).fill(0xffff_ffff);
  if (shingle === 0) return signature;
  for (let at = 0; at + shingle <= words.length; at++) {
    let h = 0;
    for (let i = 0; i < shingle; i++) h = mix(Math.imul(h, 31) + hashes[at + i]!);
    for (let p = 0; p < PERMUTATIONS; p++) {
      const permuted = (Math.imul(MULTIPLIERS[p]!, h) + OFFSETS[p]!) >>> 0;
      if (permuted < signature[p]!) signature[p] = permuted;
    }
  }
  return signature;
}

/** An estimate of the Jaccard similarity of two passages' shingles, from 0 to 1. */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let p = 0; p < PERMUTATIONS; p++) if (a[p] === b[p]) equal++;
  return equal / PERMUTATIONS;
}

/** A signature as text. Little-endian on every machine. */
function encodeSignature(signature: Uint32Array): string {
  const bytes = Buffer.alloc(4 * PERMUTATIONS);
  signature.forEach((value, p) => bytes.writeUInt32LE(value, 4 * p));
  return bytes.toString("base64");
}

/** The signature that a text of {@link FingerprintedPassage.minhash} holds. */
export function decodeSignature(text: string): Uint32Array {
  const bytes = Buffer.from(text, "base64");
  const signature = new Uint32Array(PERMUTATIONS);
  for (let p = 0; p < PERMUTATIONS; p++) signature[p] = bytes.readUInt32LE(4 * p);
  return signature;
}

/** FNV-1a over UTF-16 code units, finished by a mixer. */
function hashOf(word: string): number {
  let h = 0x811c_9dc5;
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x0100_0193);
  return mix(h);
}

/** A number for a part of a signature: equal parts have equal keys, different ones hardly ever. */
export function bandKey(signature: Uint32Array, from: number, to: number): number {
  let low = 0;
  let high = 0;
  for (let p = from; p < to; p++) {
    low = Math.imul(low ^ signature[p]!, 0x0100_0193);
    high = mix(high + signature[p]!);
  }
  // 53 bits, which a number holds exactly.
  return (low >>> 0) * 0x20_0000 + (high >>> 11);
}

/** The finaliser of MurmurHash3: every bit of the input reaches every bit of the output. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}

const MULTIPLIERS: Int32Array = Int32Array.from(
  { length: PERMUTATIONS },
  (_, p) => mix(2 * p + 1) | 1,
);
const OFFSETS: Int32Array = Int32Array.from({ length: PERMUTATIONS }, (_, p) => mix(2 * p + 2));
