import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { BenchReport } from "../../bench/command.ts";
import { modules } from "../cli/tidemark.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: readonly string[]): Promise<Ended> {
  const runtime = "Deno" in globalThis ? ["run", "-A"] : [];
  return new Promise((resolve) => {
    execFile(process.execPath, [...runtime, MAIN, ...args], (error, stdout, stderr) => {
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

  test("takes a store of one's own, by the path of its harness", async () => {
    const harness = new URL("../conformance/stores/memory.ts", import.meta.url).href;
    const directory = await modules({
      "my_store.ts": `import memory from ${JSON.stringify(harness)};
        export default { ...memory, name: "mine", module: import.meta.url };`,
    });
    const path = `${directory}/my_store.ts`;
    const run = await bench(path, "--scenario", "commit", "--rounds", "1", "--json");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const { scenarios: [commit] } = JSON.parse(run.stdout) as BenchReport;
    for (const { rows } of commit!.contests) {
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
          open: () => Promise.reject(new Error("it is broken")) };`,
    });
    const run = await bench("--scenario", "size", "--store", `${directory}/broken.ts`);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/failed: size, .*, broken: it is broken/);
    expect(run.stdout).toMatch(/JSONL done-file \* +[\d.]+ .* on disk/);
  }, 60_000);

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
