import { describe, expect, it } from "vitest";
import { openStore, type StoreConfig } from "../../stores/open_store.ts";
import { defineSuite, type Harness, validateStore } from "../conformance/mod.ts";

const FILES = { durable: true, shared: true };

function harness(
  name: string,
  configOf: (directory: string) => StoreConfig,
  capabilities = FILES,
): Harness {
  return {
    name,
    capabilities,
    open: (directory, { onWarning }) => openStore(configOf(directory), onWarning),
  };
}

const harnesses = [
  harness("memory", (directory) => `memory:${directory}`, { durable: false, shared: true }),
  harness("lmdb", (directory) => directory),
  harness(
    "sqlite, better-sqlite3",
    (path) => ({ store: "sqlite", path, driver: "better-sqlite3" }),
  ),
  harness("sqlite, node:sqlite", (path) => ({ store: "sqlite", path, driver: "node:sqlite" })),
];

for (const item of harnesses) {
  defineSuite(
    { describe, it: (name, run) => it(name, run, 60_000), skip: (name) => it.skip(name) },
    item,
  );
}

describe("validateStore()", () => {
  it("reports what passed, failed and was skipped", async () => {
    const memory = harnesses[0]!;
    const report = await validateStore({
      ...memory,
      capabilities: { durable: false, shared: false },
    }, [
      { name: "passes", needs: [], run: async () => {} },
      { name: "needs others", needs: ["shared"], run: async () => {} },
      { name: "fails", needs: [], run: () => Promise.reject(new Error("no")) },
    ]);
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
