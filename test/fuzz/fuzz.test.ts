import { describe, expect, it } from "vitest";
import { SEED } from "../property.ts";
import { fuzz } from "./fuzz.ts";
import { FUZZED, type FuzzedStore } from "./templates.ts";

const FILES = 340;

for (const store of Object.keys(FUZZED) as FuzzedStore[]) {
  describe(`${store}: files damaged in every way`, () => {
    it(`are survived and named, and others' records arrive (seed ${SEED})`, async () => {
      const report = await fuzz({
        store,
        files: FILES,
        seed: SEED,
        shapes: ["one", "tiny", "commits", "large"],
      });
      expect(report.problems).toEqual([]);
      const sum = (key: "files" | "harmless" | "damaged") =>
        report.kinds.reduce((total, tally) => total + tally[key], 0);
      expect(sum("files")).toBe(FILES);
      // It must do damage, and leave some files whole, to say anything.
      expect(sum("damaged")).toBeGreaterThan(FILES / 5);
      expect(sum("harmless")).toBeGreaterThan(FILES / 10);
    }, 60_000);
  });
}
