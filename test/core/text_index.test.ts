import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextHeap } from "../../core/text_heap.ts";
import { TextIndex } from "../../core/text_index.ts";
import { settings } from "../property.ts";
import { anyText } from "./arbitraries.ts";

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

describe("TextIndex", () => {
  test("numbers any texts as a map does that counts", () => {
    const texts = fc.array(fc.oneof(anyText, similar, { weight: 1, arbitrary: long }), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(texts, texts, (added, others) => {
        const index = new TextIndex();
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
    const index = new TextIndex();
    expect(index.addAscii(new TextEncoder().encode("é"), 0, 2)).toBeUndefined();
    expect(index.size).toBe(0);
    expect(index.addAscii(new TextEncoder().encode("xay"), 1, 2)).toBe(0);
    expect(index.find("a")).toBe(0);
  });

  test("finds each of many texts", () => {
    const index = new TextIndex();
    const text = (i: number) => `data/part-${i}${i % 3 === 0 ? "" : i % 3 === 1 ? "é" : "日本"}`;
    for (let i = 0; i < 200_000; i++) expect(index.add(text(i))).toBe(i);
    for (let i = 0; i < 200_000; i += 7) expect(index.find(text(i))).toBe(i);
    for (let i = 200_000; i < 201_000; i++) expect(index.find(text(i))).toBe(-1);
  });
});

describe("TextHeap", () => {
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
