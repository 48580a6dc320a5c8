import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { BenchReport } from "../../bench/command.ts";
import { MOD, modules } from "../cli/tidemark.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function commandOf(...args: readonly string[]): string[] {
  const runtime = "Deno" in globalThis ? ["run", "-A"] : [];
  return [process.execPath, ...runtime, MAIN, ...args];
}

function bench(...args: readonly string[]): Promise<Ended> {
  const [command, ...rest] = commandOf(...args);
  return new Promise((resolve) => {
    execFile(command!, rest, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

describe("the bench command", () => {
  test("measures a store beside baselines and prints one JSON document", async () => {
    const run = await bench("--json", "--scenario", "size", "--store", "sqlite", "--seed", "7");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const report = JSON.parse(run.stdout) as BenchReport;
    expect(report).toMatchObject({ form: "quick", rounds: 3, seed: 7 });
    expect(report.duration).toBeGreaterThan(0);
    expect(report.machine.runtime).toMatch(/^(Node|Deno) \d/);
    expect(report.machine.cores).toBeGreaterThan(0);
    expect(report.machine.fileSystem).not.toBe("");
    expect(report.scenarios.map(({ name }) => name)).toEqual(["size"]);
    const [{ columns, contests }] = report.scenarios as [BenchReport["scenarios"][number]];
    expect(contests.length).toBeGreaterThan(1);
    for (const { baseline, rows } of contests) {
      expect(rows.map((row) => [row.contender, row.outcome, row.durability])).toEqual([
        ["JSONL done-file", "measured", "on disk"],
        ["sqlite", "measured", "on disk"],
      ]);
      expect(baseline).toBe("JSONL done-file");
      expect(rows[0]!.ratio).toBe(1);
      for (const { figures, ratio } of rows) {
        expect(ratio).toBeGreaterThan(0);
        expect(Object.keys(figures!)).toEqual(columns.map(({ key }) => key));
        for (const { median, values } of Object.values(figures!)) expect(values).toEqual([median]);
      }
    }
  }, 60_000);

  test("takes a store of one's own, and prints ratios of the medians beside them", async () => {
    const harness = new URL("../conformance/stores/memory.ts", import.meta.url).href;
    const directory = await modules({
      "my_store.ts": `import memory from ${JSON.stringify(harness)};
        export default { ...memory, name: "mine", module: import.meta.url };`,
    });
    const path = `${directory}/my_store.ts`;
    const run = await bench(path, "--scenario", "commit", "--rounds", "2", "--json");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const { scenarios: [commit] } = JSON.parse(run.stdout) as BenchReport;
    for (const { baseline, rows } of commit!.contests) {
      const base = rows.find(({ contender }) => contender === baseline)!.figures!["rate"]!;
      for (const { figures, ratio } of rows.filter(({ outcome }) => outcome === "measured")) {
        const { median, values } = figures!["rate"]!;
        expect(median).toBeCloseTo((values[0]! + values[1]!) / 2);
        expect(ratio).toBeCloseTo(median / base.median);
      }
      expect(rows.at(-1)).toMatchObject({
        contender: "mine",
        outcome: "measured",
        durability: "memory only",
      });
    }
  }, 60_000);

  test("says that a store failed, and measures the others", async () => {
    const harness = new URL("../conformance/stores/memory.ts", import.meta.url).href;
    const directory = await modules({
      "broken.ts": `import memory from ${JSON.stringify(harness)};
        export default { ...memory, name: "broken", module: import.meta.url,
          capabilities: { durable: true, shared: true, files: true },
          open: async (directory, options) => Object.assign(await memory.open(directory, options),
            { append: () => Promise.reject(new Error("it is broken")) }) };`,
    });
    const run = await bench("--scenario", "size", "--store", `${directory}/broken.ts`);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/failed: size, .*, broken: it is broken/);
    expect(run.stdout).toMatch(/JSONL done-file \* +[\d.]+ .* on disk/);
  }, 60_000);

  test.each([
    ["CHECKPOINT_OPEN", `new Error("free the port")`, 1],
    ["DRIVER_MISSING", `new TidemarkError("DRIVER_MISSING", "install it: free the port")`, 2],
  ])("measures nothing when a named store cannot be opened: %s", async (_, thrown, code) => {
    const directory = await modules({
      "closed.ts": `import { TidemarkError } from ${MOD};
        export default { name: "closed", open: () => Promise.reject(${thrown}),
          capabilities: { durable: true, shared: true, files: true } };`,
    });
    const run = await bench("--scenario", "commit", `${directory}/closed.ts`);
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toMatch(/^error: .*: free the port.*\n$/);
  }, 30_000);

  test("says that a scenario uses no store when one is named", async () => {
    const [command, ...args] = commandOf("--scenario", "lookup", "memory");
    const child = spawn(command!, args, { stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const [said] = await once(child.stderr, "data");
    // Not measured to the end, which takes long.
    process.kill(child.pid!, "SIGTERM");
    await ended;
    expect(String(said)).toBe("the scenario lookup uses no store: memory cannot take part in it\n");
  }, 60_000);

  test("is called as its help says", async () => {
    const { stdout } = await bench("--help");
    expect(stdout).toMatch(/^Usage: tidemark bench \[options\] \[stores\.\.\.\]/);
  }, 30_000);

  test.each([
    [["--scenario", "speed"], /speed.*ledger, commit, union/s],
    [["--store", "mongo"], /mongo is no file and none of the stores lmdb, sqlite/],
    [["--rounds", "0"], /whole number from 1/],
    [["--fast"], /unknown option/],
  ])("refuses %j with exit code 2", async (args, message) => {
    const run = await bench(...args);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(message);
  }, 30_000);
});
