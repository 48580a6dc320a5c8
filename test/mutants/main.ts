/**
 * Runs the conformance suite on stores with one deliberate bug each and says which case caught
 * it: `npm run test:mutants`.
 */
import process from "node:process";
import { Command } from "commander";
import { cases, type ConformanceCase, validateStore } from "../conformance/mod.ts";
import { harnessOf, MUTANTS } from "./harness.ts";
import type { Mutant } from "./mutant.ts";

interface MutantsOptions {
  readonly mutant?: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
}

/** How the suite saw one mutant. */
interface Sighting {
  readonly mutant: string;
  readonly bug: string;
  readonly expected: string;
  readonly caught: boolean;
  /** Cases that failed besides the expected one and concern the same thing. */
  readonly related: readonly string[];
  /** Cases that failed and should not have. */
  readonly unrelated: readonly string[];
}

/** Two at a time, because they wait more than they work. */
const AT_ONCE = 2;

const options = new Command("mutants")
  .description("run the conformance suite on stores with one bug each")
  .option("--mutant <name...>", "only these")
  .option("--quick", "start processes only for mutants that concern them", false)
  .option("--json", "print one JSON document", false)
  .parse().opts<MutantsOptions>();

function isRelated(mutant: Mutant, name: string): boolean {
  const { related } = mutant;
  if (related === undefined) return false;
  return related instanceof RegExp
    ? related.test(name)
    : related(cases.find((item) => item.name === name)!);
}

/** The cases to run on a mutant. */
function casesFor(mutant: Mutant): readonly ConformanceCase[] {
  if (!options.quick) return cases;
  const concerned = cases.filter(({ name }) => name === mutant.expected || isRelated(mutant, name));
  return cases.filter((item) => !item.needs.includes("processes") || concerned.includes(item));
}

async function sightingOf(name: string, mutant: Mutant): Promise<Sighting> {
  const report = await validateStore(harnessOf(name, mutant), { cases: casesFor(mutant) });
  const { bug, expected } = mutant;
  const failed = report.results.filter((r) => r.outcome === "failed").map((r) => r.name);
  const others = failed.filter((failure) => failure !== expected);
  return {
    mutant: name,
    bug,
    expected,
    caught: failed.includes(expected),
    related: others.filter((other) => isRelated(mutant, other)),
    unrelated: others.filter((other) => !isRelated(mutant, other)),
  };
}

function printSighting({ mutant, bug, expected, caught, related, unrelated }: Sighting): void {
  const verdict = caught && unrelated.length === 0 ? "ok  " : "FAIL";
  const also = related.length === 0 ? "" : `  (+${related.length} related)`;
  console.log(
    `${verdict}  ${mutant.padEnd(23)} ${bug}\n${"".padEnd(30)}` +
      `${caught ? "caught by" : "NOT caught by"}: ${expected}${also}`,
  );
  for (const name of unrelated) console.log(`${"".padEnd(30)}UNRELATED: ${name}`);
}

const missing = [...MUTANTS].filter(([, { expected }]) => !cases.some((c) => c.name === expected));
if (missing.length > 0) {
  throw new Error(`no such case: ${missing.map(([n, m]) => `${n}: ${m.expected}`).join()}`);
}
const names = options.mutant ?? [...MUTANTS.keys()];
const unknown = names.find((name) => !MUTANTS.has(name));
if (unknown !== undefined) {
  console.error(`there is no mutant "${unknown}": ${[...MUTANTS.keys()].join(", ")}`);
  process.exit(2);
}

const began = performance.now();
const control = await validateStore(harnessOf("sound", undefined));
if (!options.json) {
  console.log(`the store without a bug: ${control.passed} passed, ${control.failed} failed\n`);
  for (const { name, outcome, reason } of control.results) {
    if (outcome === "failed") console.log(`FAIL  ${name}: ${reason}\n`);
  }
}
const sightings: Sighting[] = [];
const queue = [...names];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const mutant = MUTANTS.get(name)!;
    const sighting = await sightingOf(name, mutant);
    sightings.push(sighting);
    if (!options.json) printSighting(sighting);
  }
}));
const caught = sightings.filter((s) => s.caught).length;
const useful = new Set(
  sightings.flatMap((s) => [...(s.caught ? [s.expected] : []), ...s.related]),
);
const unrelated = sightings.reduce((sum, s) => sum + s.unrelated.length, 0);
const duration = (performance.now() - began) / 1000;
const ok = control.ok && caught === sightings.length && unrelated === 0;
console.log(
  options.json
    ? JSON.stringify({ ok, control: control.ok, sightings, seconds: duration })
    : `\n${caught} of ${sightings.length} bugs caught by the case that one would expect, ` +
      `${unrelated} unrelated failures; ${useful.size} of ${cases.length} cases caught something; ` +
      `${duration.toFixed(0)} s`,
);
// A mutant may have left something that would keep this process from ending.
process.exit(ok ? 0 : 1);
