import { describe, expect, it } from "vitest";
import { ChangeProbe } from "../../stores/change_probe.ts";

function readAt(probe: ChangeProbe, stamp: string, now: number): boolean {
  const unchanged = probe.unchanged(stamp, now);
  if (!unchanged) probe.finished();
  return !unchanged;
}

describe("ChangeProbe", () => {
  it("has a file read again until its stamp has stood still for a clock tick", () => {
    const probe = new ChangeProbe();
    expect([0, 1000, 1999, 2001].map((now) => readAt(probe, "a", now))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([2002, 9000].map((now) => readAt(probe, "a", now))).toEqual([false, false]);
  });

  it("has a file read that changed", () => {
    const probe = new ChangeProbe();
    for (const now of [0, 3000]) readAt(probe, "a", now);
    expect(readAt(probe, "a", 4000)).toBe(false);
    expect(readAt(probe, "b", 5000)).toBe(true);
    expect(readAt(probe, "b", 5001)).toBe(true);
  });

  it("has a file read again that was not read to its end", () => {
    const probe = new ChangeProbe();
    readAt(probe, "a", 0);
    expect(probe.unchanged("a", 3000)).toBe(false);
    expect(readAt(probe, "a", 6000)).toBe(true);
    expect(readAt(probe, "a", 6001)).toBe(false);
  });
});
