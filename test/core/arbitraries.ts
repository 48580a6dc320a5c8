import fc from "fast-check";
import { type CheckpointRecord, RECORD_STATES } from "../../core/record.ts";

/** Texts of every kind: ASCII, any code points, and units that are no text at all. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 5 })
    .map((units) => String.fromCharCode(...units)),
);

/** Any record about one of some sources, with clocks that often tie. */
export const anyRecord = (source: fc.Arbitrary<string>): fc.Arbitrary<CheckpointRecord> =>
  fc.record(
    {
      source,
      state: fc.constantFrom(...RECORD_STATES),
      clock: fc.integer({ min: 1, max: 4 }),
      writer: fc.constantFrom("a", "b"),
      at: fc.nat(),
      version: fc.constantFrom("", "v1", "v2"),
      failure: anyText,
    },
    { requiredKeys: ["source", "state", "clock", "writer", "at"] },
  );
