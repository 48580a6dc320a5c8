import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { SEED } from "../property.ts";
import { BUGS } from "./bugs.ts";
import { simulate } from "./simulate.ts";
import { findBug, simulateMany, type Summary } from "./simulate_many.ts";
import { calm } from "./weather.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("the engine in simulated worlds", () => {
  test(`keeps its promises, seeds from ${SEED} on`, async () => {
    const { violations, seeds, counts } = await simulateMany(SEED, 300);
    expect(violations).toEqual([]);
    expect(seeds).toBe(300);
    // What so many seeds cannot miss, if the simulation does what it says.
    for (const what of ["crashes", "refused", "failures", "retries", "commits"] as const) {
      expect(counts[what], what).toBeGreaterThan(0);
    }
  }, 60_000);

  test.each(Object.keys(BUGS))(`has the bug %s found, seeds from ${SEED} on`, async (name) => {
    const { violation } = await findBug(name, SEED, 1_000);
    expect(violation).toMatchObject({ check: BUGS[name]!.check });
  }, 60_000);

  test("are without the bug again once it is taken out", async () => {
    const before = await simulate(1);
    for (const { install } of Object.values(BUGS)) install()();
    expect((await simulate(1)).hash).toBe(before.hash);
  });
});

describe("a seed", () => {
  test("repeats a world, event by event", async () => {
    const first = await simulate(SEED, true);
    const second = await simulate(SEED, true);
    expect(second.lines).toEqual(first.lines);
    expect(second).toEqual(first);
    expect((await simulate(SEED + 1)).hash).not.toBe(first.hash);
  });

  test("repeats it whatever else ran in the process before", async () => {
    const seeds = Array.from({ length: 150 }, (_, i) => SEED + i);
    const hashes = async (order: readonly number[]) => {
      const bySeed = new Map<number, string>();
      for (const seed of order) bySeed.set(seed, (await simulate(seed)).hash);
      return seeds.map((seed) => bySeed.get(seed));
    };
    expect(await hashes(seeds.toReversed())).toEqual(await hashes(seeds));
  }, 60_000);

  test("repeats it on the other runtime too", async () => {
    const other = "Deno" in globalThis ? ["node"] : ["deno", "run", "-A", "--quiet"];
    const [command, ...args] = other;
    const { stdout } = await promisify(execFile)(join(ROOT, "node_modules/.bin", command!), [
      ...args,
      join(ROOT, "test/simulation/main.ts"),
      "--seed",
      String(SEED),
      "--seeds",
      "20",
      "--json",
    ], { cwd: ROOT });
    const there = JSON.parse(stdout) as Summary;
    const { hash, steps, counts } = await simulateMany(SEED, 20);
    expect({ hash, steps, counts }).toEqual({
      hash: there.hash,
      steps: there.steps,
      counts: there.counts,
    });
  }, 60_000);
});

test("calm weather has no fault in it", () => {
  const { latency: _, facts, ...faults } = calm("quick");
  expect(facts).toBe("sound");
  expect(new Set(Object.values(faults))).toEqual(new Set([0]));
});
