import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  cases,
  KNOWN_HARNESSES,
  loadHarness,
  skipReason,
  validateStore,
  vitestSuite,
} from "../conformance/mod.ts";

const harnesses = await Promise.all(KNOWN_HARNESSES.map(loadHarness));

for (const item of harnesses) vitestSuite({ describe, it }, item);

describe("the suite", () => {
  it("has a name of its own for each case", () => {
    const names = cases.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it("is a suite of the runtime's own test runner", async () => {
    const deno = "Deno" in globalThis;
    const fixture = fileURLToPath(
      new URL(`./fixtures/${deno ? "deno_test" : "node_test"}.ts`, import.meta.url),
    );
    const args = deno
      ? ["test", "-A", "--quiet", fixture]
      : ["--test", "--test-reporter=spec", fixture];
    const { status, stdout } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(status, stdout).toBe(0);
    const passed = /(\d+) passed/.exec(stdout)?.[1] ?? /pass (\d+)/.exec(stdout)?.[1];
    const memory = await loadHarness("memory");
    expect(Number(passed)).toBe(cases.filter((item) => !skipReason(item, memory)).length);
  }, 60_000);
});

describe("validateStore()", () => {
  it("reports what passed, failed and was skipped", async () => {
    const memory = await loadHarness("memory");
    const report = await validateStore({
      ...memory,
      capabilities: { durable: false, shared: false, files: false },
    }, {
      cases: [
        { name: "passes", needs: [], run: async () => {} },
        { name: "needs others", needs: ["shared"], run: async () => {} },
        { name: "fails", needs: [], run: () => Promise.reject(new Error("no")) },
      ],
    });
    expect(report.ok).toBe(false);
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["passed", "skipped", "failed"]);
    expect(report.results[1]!.reason).toBe("the memory store is not shared");
  });

  it("states the capabilities that the stores state", async () => {
    for (const item of harnesses) {
      const { mkdtemp, rm } = await import("node:fs/promises");
      const { tmpdir } = await import("node:os");
      const directory = await mkdtemp(`${tmpdir()}/tidemark-`);
      const store = await item.open(directory, { onWarning: () => {} });
      expect(store.capabilities).toEqual(item.capabilities);
      await store.close();
      await rm(directory, { recursive: true });
    }
  });
});
