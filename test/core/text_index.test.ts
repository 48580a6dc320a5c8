import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextHeap } from "../../core/text_heap.ts";
import { TextIndex } from "../../core/text_index.ts";
import { SEED, settings } from "../property.ts";
import { randomFrom } from "../random.ts";
import { anyText } from "./arbitraries.ts";

const random = randomFrom(SEED);

/** Texts that begin, end and are stored alike. */
const similar = fc.constantFrom(
  "",
  "a",
  "ab",
  "b",
  "\u0000",
  "\u0100",
  "a\u0001",
  "\u0161",
  "__proto__",
);
const long = fc.tuple(anyText, fc.integer({ min: 1, max: 40_000 }))
  .map(([text, length]) => text.repeat(Math.ceil(length / Math.max(1, text.length))));

/** As its authors write it, over the text's bytes in words and then its length, shifted by one. */
function halfSipHash(text: string, key0: number, key1: number): number {
  const padded = new Uint8Array(Math.ceil(text.length / 4) * 4);
  padded.set(new TextEncoder().encode(text));
  const view = new DataView(padded.buffer);
  const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  let [v0, v1, v2, v3] = [key0, key1, 0x6c796765 ^ key0, 0x74656462 ^ key1];
  const round = () => {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5);
    v1 ^= v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13);
    v1 ^= v2;
    v2 = rotate(v2, 16);
  };
  const compress = (word: number) => {
    v3 ^= word;
    round();
    v0 ^= word;
  };
  for (let at = 0; at < padded.length; at += 4) compress(view.getInt32(at, true));
  compress(text.length << 1);
  v2 ^= 0xff;
  for (let i = 0; i < 3; i++) round();
  return v1 ^ v3;
}

describe("TextIndex", () => {
  test("numbers any texts as a map does that counts", () => {
    const texts = fc.array(fc.oneof(anyText, similar, { weight: 1, arbitrary: long }), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(texts, texts, (added, others) => {
        const index = new TextIndex(random);
        const model = new Map<string, number>();
        for (const text of added) {
          expect(index.find(text)).toBe(model.get(text) ?? -1);
          if (!model.has(text)) model.set(text, model.size);
          const bytes = new TextEncoder().encode(`<${text}>`);
          const isAscii = bytes.length === text.length + 2 && !text.includes("\ufffd");
          expect(isAscii ? index.addAscii(bytes, 1, bytes.length - 1) : index.add(text))
            .toBe(model.get(text));
          expect(index.size).toBe(model.size);
        }
        for (const text of [...added, ...others]) {
          expect(index.find(text)).toBe(model.get(text) ?? -1);
        }
      }),
      settings(500),
    );
  });

  test("takes no bytes for ASCII that are not", () => {
    const index = new TextIndex(random);
    expect(index.addAscii(new TextEncoder().encode("é"), 0, 2)).toBeUndefined();
    expect(index.size).toBe(0);
    expect(index.addAscii(new TextEncoder().encode("xay"), 1, 2)).toBe(0);
    expect(index.find("a")).toBe(0);
  });

  test("finds each of many texts", () => {
    const index = new TextIndex(random);
    const text = (i: number) => `data/part-${i}${i % 3 === 0 ? "" : i % 3 === 1 ? "é" : "日本"}`;
    for (let i = 0; i < 200_000; i++) expect(index.add(text(i))).toBe(i);
    for (let i = 0; i < 200_000; i += 7) expect(index.find(text(i))).toBe(i);
    for (let i = 200_000; i < 201_000; i++) expect(index.find(text(i))).toBe(-1);
  });
});

describe("TextHeap", () => {
  test("hashes as HalfSipHash does, by key, content and length", () => {
    const heap = new TextHeap();
    const hashOf = (text: string, key = 0) => {
      heap.stage(text);
      return heap.hash(key, 1);
    };
    const texts = [
      "",
      "a",
      "b",
      "ab",
      "a\u0000",
      "a\u0000\u0000\u0000\u0000",
      "\u0161",
      "abcdefgh",
    ];
    expect(new Set(texts.map((text) => hashOf(text))).size).toBe(texts.length);
    expect(hashOf("abc")).toBe(hashOf("abc"));
    expect(hashOf("abc", 1)).not.toBe(hashOf("abc", 2));
    hashOf("x".repeat(1_000));
    expect(hashOf("abcdefgh")).toBe(halfSipHash("abcdefgh", 0, 1));
    expect(hashOf("abcde", 5)).toBe(halfSipHash("abcde", 5, 1));
  });

  test("gives long texts back, in one byte a unit and in two", () => {
    const heap = new TextHeap();
    for (const text of ["ab".repeat(50_000), "日本".repeat(50_000)]) {
      heap.stage(text);
      expect(heap.get(heap.keep())).toBe(text);
    }
  });

  test("gives back what it keeps, and leaves no trace of what it does not", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(anyText, similar, long), fc.boolean())), (all) => {
        const heap = new TextHeap();
        const kept: string[] = [];
        for (const [text, isKept] of all) {
          heap.stage(text);
          for (const [number, other] of kept.entries()) {
            expect(heap.isStaged(number)).toBe(other === text);
          }
          const number = isKept ? kept.push(text) - 1 : undefined;
          expect(isKept ? heap.keep() : undefined).toBe(number);
        }
        expect(kept.map((_, number) => heap.get(number))).toEqual(kept);
      }),
      settings(200),
    );
  });
});
