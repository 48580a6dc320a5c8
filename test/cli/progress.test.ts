import { describe, expect, test } from "vitest";
import { amount, seconds } from "../../cli/number_text.ts";
import { ProgressCount } from "../../cli/progress_count.ts";
import { statusOf } from "../../cli/progress.ts";
import { summaryOf } from "../../cli/run_summary.ts";
import type { RunReport } from "../../mod.ts";

describe("ProgressCount", () => {
  test("ProgressCount tells rate and time left from the sources that ran, not from those skipped", () => {
    let now = 1_000;
    const count = new ProgressCount(() => now);
    count.count({ type: "sources-expected", count: 100 });
    for (let i = 0; i < 60; i++) count.count({ type: "source-skipped", source: `s${i}` });
    now = 5_000;
    for (let i = 0; i < 12; i++) count.count({ type: "source-opened", source: `r${i}` });
    now = 7_000;
    for (let i = 0; i < 9; i++) count.count({ type: "source-completed", source: `r${i}` });
    count.count({ type: "source-failed", source: "r9", reason: "x" });
    expect(count.open).toBe(2);
    expect(count.rate).toBe(5);
    expect(count.secondsLeft).toBe(6);
    expect(statusOf(count)).toBe(
      "70 of 100 sources · 60 done before · 1 failed · 5.0/s · 6.0 s left",
    );
  });

  test("ProgressCount knows no end when the source stage does not tell", () => {
    const count = new ProgressCount(() => 0);
    count.count({ type: "source-opened", source: "a" });
    expect(count.secondsLeft).toBeUndefined();
    expect(statusOf(count)).toBe("0 sources");
  });
});

test("seconds() and amount() read well at every size", () => {
  expect([0.04, 9.94, 9.96, 59.4, 59.6, 61, 3_599.4, 3_600, 90_000].map(seconds))
    .toEqual([
      "0.0 s",
      "9.9 s",
      "10 s",
      "59 s",
      "1 min 0 s",
      "1 min 1 s",
      "59 min 59 s",
      "1 h 0 min",
      "25 h 0 min",
    ]);
  expect([amount(1, "source"), amount(1_234, "source"), amount(0)]).toEqual([
    "1 source",
    "1,234 sources",
    "0",
  ]);
});

describe("summaryOf()", () => {
  const report: RunReport = {
    pipeline: "p",
    sources: { completed: 0, skipped: 0, failed: 0, pending: 0, unrecorded: 0 },
    stages: [],
    failures: [],
    failureCount: 0,
    warnings: [],
    startedAt: 0,
    duration: 1_500,
    interrupted: false,
  };

  test("summaryOf() says that there was nothing to do only when everything was complete", () => {
    expect(summaryOf({ ...report, sources: { ...report.sources, skipped: 233 } }, "ckpt"))
      .toBe(
        "p: Nothing to do: all 233 sources were complete already.\n" +
          "  That is recorded in ckpt; to run them again, choose another checkpoint or delete its directory .tidemark.\n",
      );
    expect(
      summaryOf(
        { ...report, interrupted: true, sources: { ...report.sources, skipped: 3 } },
        "ckpt",
      ),
    ).toContain("interrupted");
    expect(summaryOf(report, "ckpt")).toContain("finished in 1.5 s");
  });

  test("summaryOf() counts failures and warnings beyond those it shows", () => {
    const failures = Array.from(
      { length: 100 },
      (_, i) => ({ stage: "s", source: `x${i}`, task: "0", reason: "r" }),
    );
    const text = summaryOf({
      ...report,
      failures,
      failureCount: 5_000,
      warnings: ["careful"],
      sources: { ...report.sources, failed: 100, pending: 1 },
    }, "ckpt");
    expect(text).toContain("5,000 failures:\n    x0 in s: r");
    expect(text).toContain("and 4,995 more");
    expect(text).toContain("1 warning:\n    careful");
    expect(text).toContain("retry the 101 sources");
  });

  test("summaryOf() calls a source by its label, and says where code threw", () => {
    const failure = {
      stage: "s",
      source: "0af3",
      label: "a/1.txt",
      task: "0",
      reason: "x is gone",
    };
    const cause = new Error("x is gone");
    cause.stack = "Error: x is gone\n    at async Promise.all (index 0)\n" +
      `    at open (node:internal/fs:1:1)\n    at read (file:///${"d/".repeat(150)}w.ts:7:3)`;
    const failures = [{ ...failure, cause }, { ...failure, cause: "text" }];
    const text = summaryOf({ ...report, failures, failureCount: 2 }, undefined);
    expect(text).toMatch(
      /\n {4}a\/1\.txt in s: x is gone\n {6}at read \(file:.*w\.ts:7:3\)\n {4}a\/1\.txt in s: x is gone\n/,
    );
  });

  test("summaryOf() does not promise a resume without a checkpoint", () => {
    const text = summaryOf({ ...report, sources: { ...report.sources, failed: 1 } }, undefined);
    expect(text).toContain("Nothing was recorded");
    expect(text).not.toContain("retry");
  });
});
