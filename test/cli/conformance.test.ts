import { describe, expect, test, vi } from "vitest";
import type { ConformanceReport } from "../conformance/mod.ts";
import { MOD, modules, start, succeeded, tidemark } from "./tidemark.ts";

// Every test starts processes, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** A harness whose store forgets the last of its records. */
const FORGETFUL = `
  import { openStore } from ${MOD};
  export default {
    name: "forgetful",
    capabilities: { durable: false, shared: true, files: false },
    async open(directory) {
      const store = await openStore("memory:" + directory);
      return new Proxy(store, {
        get: (target, name) => name === "append"
          ? (records) => store.append(records.slice(0, -1))
          : typeof target[name] === "function" ? target[name].bind(target) : target[name],
      });
    },
  };`;

describe("tidemark conformance", () => {
  test("tidemark conformance prints each case and exits with 0 when the store conforms", async () => {
    const { stdout } = succeeded(await tidemark(["conformance", "memory"]));
    expect(stdout).toMatch(/^ok {4}append\(\) keeps records for the next store {2}\d+ ms$/m);
    expect(stdout).toMatch(
      /^skip {2}append\(\) that resolved .*\n {8}the memory store is not durable$/m,
    );
    expect(stdout).toMatch(/\d+ passed, 0 failed, \d+ skipped of \d+ cases/);
  });

  test("tidemark conformance exits with 1 and says which cases failed", async () => {
    const cwd = await modules({ "store.ts": FORGETFUL });
    const { code, stdout } = await tidemark(["conformance", "./store.ts", "--json"], { cwd });
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as ConformanceReport;
    expect(report).toMatchObject({ store: "forgetful", ok: false });
    const failures = report.results.filter(({ outcome }) => outcome === "failed");
    expect(failures).toHaveLength(report.failed);
    expect(failures.map(({ name }) => name)).toContain("append() keeps records for the next store");
    expect(failures.every(({ reason }) => reason !== undefined)).toBe(true);
  });

  test("tidemark conformance outlives what a store does to its process", async () => {
    const store = (append: string) => `
      import { openStore } from ${MOD};
      export default {
        name: "rude",
        capabilities: { durable: false, shared: true, files: false },
        async open(directory) {
          const store = await openStore("memory:" + directory);
          const append = ${append};
          return new Proxy(store, {
            get: (target, name) => name === "append"
              ? append
              : typeof target[name] === "function" ? target[name].bind(target) : target[name],
          });
        },
      };`;
    const cwd = await modules({
      "exits.ts": store("() => process.exit(0)"),
      "strays.ts": store(
        "(records) => { Promise.reject(new Error('stray')); return store.append(records); }",
      ),
      "hangs.ts": store("() => new Promise(() => {})"),
    });
    const exits = await tidemark(["conformance", "exits.ts"], { cwd });
    expect(exits.code).toBe(1);
    expect(exits.stderr).toMatch(/ended the process before the suite was done/);
    const strays = await tidemark(["conformance", "strays.ts"], { cwd });
    expect(strays.code).toBe(1);
    expect(strays.stdout).toMatch(/^FAIL {2}append\(\) of .*\n {8}stray$/m);
    expect(strays.stdout).toMatch(/passed, \d+ failed/);
    const run = start(["conformance", "hangs.ts", "--deadline", "1"], { cwd });
    while (!run.stdout.includes("did not end within 1 s")) {
      await new Promise((resolve) => run.child.stdout.once("data", resolve));
    }
    run.signal("SIGINT");
    expect((await run.ended).code).toBe(130);
  });

  test.each([
    ["DRIVER_MISSING", `new TidemarkError("DRIVER_MISSING", "no driver: install it")`, 2],
    ["CHECKPOINT_OPEN", `new Error("the port is taken: free it")`, 1],
  ])("tidemark conformance runs no case when the store cannot be opened: %s", async (...row) => {
    const [code, thrown, exit] = row;
    const cwd = await modules({
      "store.ts": `import { TidemarkError } from ${MOD};
        export default {
          name: "unready",
          capabilities: { durable: false, shared: true, files: false },
          async open() { throw ${thrown}; },
        };`,
    });
    const run = await tidemark(["conformance", "store.ts"], { cwd });
    expect(run.code).toBe(exit);
    expect(run.stderr).toMatch(new RegExp(`^tidemark: .*: (install|free) it.* \\[${code}\\]\n$`));
    expect(run.stdout).not.toMatch(/FAIL|passed/);
  });

  test("tidemark conformance exits with 2 when there is no harness", async () => {
    const cwd = await modules({ "empty.ts": "export const store = 1;" });
    for (const name of ["empty.ts", "missing.ts", "redis", "__proto__"]) {
      const { code, stderr } = await tidemark(["conformance", name], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain(name);
      expect(stderr).toMatch(/MODULE_INVALID/);
    }
    const { code, stdout } = await tidemark(["conformance", "missing.ts", "--json"], { cwd });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "MODULE_INVALID" } });
  });
});
