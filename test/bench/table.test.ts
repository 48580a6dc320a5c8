import { expect, test } from "vitest";
import { summarize } from "../../bench/statistics.ts";
import { contestLines } from "../../bench/table.ts";

const columns = [
  { key: "open", title: "open", unit: "bytes" },
  { key: "closed", title: "closed", unit: "bytes", compared: true },
];
const row = (contender: string, figures: Record<string, number[]>, ratio: number) => ({
  contender,
  outcome: "measured" as const,
  durability: "on disk",
  figures: Object.fromEntries(Object.entries(figures).map(([k, v]) => [k, summarize(v)])),
  ratio,
});

test("contestLines() says which of several columns the ratio is of", () => {
  const lines = (figures: Record<string, number[]>) =>
    contestLines(columns, { name: "c", baseline: "a", rows: [row("a", figures, 1)] });
  expect(lines({ open: [4], closed: [2] })[1]).toMatch(
    /open, bytes .*ratio of closed {2}durability/,
  );
  expect(lines({ closed: [2] })[1]).toMatch(/closed, bytes {2} *ratio {2}durability/);
});

test("summarize() takes the value in the middle, or the mean of the two there", () => {
  expect(summarize([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9, values: [9, 1, 4] });
  expect(summarize([9, 1, 4, 2]).median).toBe(3);
  expect(summarize([7]).median).toBe(7);
});
