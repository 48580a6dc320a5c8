/**
 * The conformance benchmarks as a command: what the engine and any store can do, beside what
 * simpler ways can.
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { printable, TidemarkError } from "../mod.ts";
import { KNOWN_HARNESSES, loadHarness, openOnce } from "../test/conformance/mod.ts";
import { ContenderProcess } from "./contender_process.ts";
import { Arena, type ContestResult } from "./contest.ts";
import { type Machine, machine, machineText } from "./machine.ts";
import type { Column, Scenario, StoreChoice } from "./scenario.ts";
import { loadScenario, SCENARIO_NAMES, type ScenarioName } from "./scenarios.ts";
import { contestLines, headLines } from "./table.ts";

interface BenchFlags {
  readonly full: boolean;
  readonly store: readonly string[];
  readonly scenario: readonly ScenarioName[];
  readonly rounds: number;
  readonly seed: number;
  readonly json: boolean;
}

/** The stores that take part when none is named; the other driver only in the long form. */
const USUAL_STORES = ["lmdb", "sqlite", "memory"] as const;

/** What came out of one scenario. */
export interface ScenarioResult {
  readonly name: string;
  readonly summary: string;
  readonly columns: readonly Column[];
  readonly contests: readonly ContestResult[];
  /** In milliseconds. */
  readonly duration: number;
}

/** The document that `--json` prints. */
export interface BenchReport {
  readonly form: "quick" | "full";
  readonly machine: Machine;
  readonly rounds: number;
  /** The seed of what is random: the moments of kills. */
  readonly seed: number;
  readonly startedAt: string;
  /** In milliseconds. */
  readonly duration: number;
  readonly scenarios: readonly ScenarioResult[];
}

const HELP = `
A store of one's own is a module whose default export is a harness of tidemark/conformance.
With stores named and no scenario, the scenarios without stores are left out. A named store
that cannot be opened ends the bench; one of the usual stores is skipped then.

Exit codes:
  0 done   1 a contender failed, or a named store cannot be opened
  2 usage error, or a named store's driver is missing   130 interrupted`;

/** Runs the benchmarks that the arguments ask for. Resolves to the exit code. */
export async function benchCommand(argv: readonly string[]): Promise<number> {
  const program = new Command("tidemark bench")
    .description("Measure stores and the engine, each beside simpler ways to do the same.")
    .argument("[stores...]", "the same as --store")
    .option("--full", "the long form: more and larger cases, all stores", false)
    .option("--store <store>", `${KNOWN_HARNESSES.join(", ")} or a module`, collect, [])
    .addOption(
      new Option("--scenario <name>", "what to measure").choices(SCENARIO_NAMES)
        .argParser((name, before: string[]) => collect(known(name), before)).default([]),
    )
    .option("--rounds <n>", "measurements of each contender, taken in turn", positive, 3)
    .option("--seed <n>", "seed of the moments of kills", positive, 1 + Date.now() % 1_000_000)
    .option("--json", "print one JSON document", false)
    .addHelpText("after", HELP)
    .exitOverride();
  let named: string[];
  let stores: StoreChoice[];
  const flags = (): BenchFlags => program.opts<BenchFlags>();
  try {
    program.parse(argv, { from: "user" });
    named = [...program.args, ...flags().store];
    stores = await chooseStores(named, flags().full);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof TidemarkError)) throw error;
    console.error(`error: ${error.message}`);
    return error.code === "CHECKPOINT_OPEN" ? 1 : 2;
  }
  const scenarios = await chooseScenarios(flags().scenario, named.length > 0);
  return await inTemporaryDirectory(async (directory) => {
    for (const { name } of scenarios.filter(({ usesStores }) => named.length > 0 && !usesStores)) {
      console.error(
        `the scenario ${name} uses no store: ${
          named.map((name) => printable(name)).join(", ")
        } cannot take part in it`,
      );
    }
    return await run(scenarios, stores, flags(), directory);
  });
}

async function run(
  scenarios: readonly Scenario[],
  stores: readonly StoreChoice[],
  flags: BenchFlags,
  directory: string,
): Promise<number> {
  const began = performance.now();
  const say = (lines: readonly string[]): void => {
    if (!flags.json) console.log(lines.join("\n"));
  };
  const report = {
    form: flags.full ? "full" : "quick",
    machine: machine(),
    rounds: flags.rounds,
    seed: flags.seed,
    startedAt: new Date().toISOString(),
  } as const;
  say([
    machineText(report.machine),
    `${report.form} form, ${
      flags.rounds === 1 ? "one round" : `median (lowest–highest) of ${flags.rounds} rounds`
    } unless said otherwise, seed ${flags.seed}; a ratio is a median over that of the row marked *`,
  ]);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const { name, summary, columns } = scenario;
    say(headLines(scenario, flags.full));
    const began = performance.now();
    const arena = new Arena(scenario, directory, flags.rounds);
    const contests: ContestResult[] = [];
    for (const contest of scenario.contests({ ...flags, stores })) {
      if (contest.contenders.length === 0) continue;
      const result = await arena.hold(contest);
      contests.push(result);
      say(contestLines(columns, result));
    }
    results.push({ name, summary, columns, contests, duration: performance.now() - began });
  }
  const duration = performance.now() - began;
  const whole: BenchReport = { ...report, duration, scenarios: results };
  if (flags.json) console.log(JSON.stringify(whole));
  say(["", `${(duration / 1000).toFixed(0)} s`]);
  const failures = results.flatMap(({ name, contests }) =>
    contests.flatMap((contest) =>
      contest.rows.filter((row) => row.outcome === "failed")
        .map((row) => `${name}, ${contest.name}, ${row.contender}: ${row.reason}`)
    )
  );
  for (const failure of failures) console.error(`failed: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

async function chooseStores(named: readonly string[], full: boolean): Promise<StoreChoice[]> {
  const usual = full ? KNOWN_HARNESSES : USUAL_STORES;
  const specs = new Set<string>(named.length > 0 ? named : usual);
  return await Promise.all([...specs].map(async (spec) => {
    const harness = await loadHarness(spec);
    // A usual store that cannot be opened is skipped; one that was asked for is an error.
    if (named.length > 0) await openOnce(harness);
    const { name, capabilities, module } = harness;
    const isKnown = (KNOWN_HARNESSES as readonly string[]).includes(spec);
    // A contender's process may run in another directory.
    return { spec: isKnown ? spec : module ?? spec, name, durable: capabilities.durable };
  }));
}

async function chooseScenarios(
  names: readonly ScenarioName[],
  storesNamed: boolean,
): Promise<Scenario[]> {
  const chosen = names.length > 0 ? SCENARIO_NAMES.filter((n) => names.includes(n)) : undefined;
  const scenarios = await Promise.all((chosen ?? SCENARIO_NAMES).map(loadScenario));
  return scenarios.filter((s) => chosen !== undefined || !storesNamed || s.usesStores);
}

async function inTemporaryDirectory(work: (path: string) => Promise<number>): Promise<number> {
  const path = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const stop = (): never => {
    // On its way out a contender would make the directory again for its compiled modules.
    ContenderProcess.killAll();
    remove();
    return process.exit(130);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    return await work(path);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    remove();
  }
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function known(name: string): string {
  if ((SCENARIO_NAMES as readonly string[]).includes(name)) return name;
  throw new InvalidArgumentError(`The scenarios are ${SCENARIO_NAMES.join(", ")}.`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number from 1.");
  }
  return value;
}
