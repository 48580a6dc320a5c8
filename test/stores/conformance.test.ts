import { describe, expect, it } from "vitest";
import { KNOWN_HARNESSES, loadHarness, validateStore, vitestSuite } from "../conformance/mod.ts";

const harnesses = await Promise.all(KNOWN_HARNESSES.map(loadHarness));

for (const item of harnesses) vitestSuite({ describe, it }, item);

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
