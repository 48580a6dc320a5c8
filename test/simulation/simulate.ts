import process from "node:process";
import { Union } from "../../core/union.ts";
import type { Counts } from "./coverage.ts";
import { History, prevailing } from "./history.ts";
import { Lanes } from "./lanes.ts";
import { OwnerSpy } from "./owner_spy.ts";
import { Outputs } from "./outputs.ts";
import { checkUnion } from "./record_checks.ts";
import { keyOf, shapeOf, versionText } from "./shape.ts";
import { placeForeign, Shelf } from "./shelf.ts";
import type { Simulation } from "./simulation.ts";
import { calm, weatherOf } from "./weather.ts";
import { type Violation, World } from "./world.ts";

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly counts: Counts;
  readonly violations: readonly Violation[];
  /** The most sources that one crash made run again. */
  readonly mostRepeated: number;
  /** A fingerprint of everything that happened. */
  readonly hash: string;
  /** Everything that happened, when it was asked for. */
  readonly lines: readonly string[];
}

/** Runs one seed: processes that crash and fail, then clean ones, which must finish. */
export async function simulate(seed: number, isVerbose = false): Promise<Outcome> {
  const world = new World(seed, isVerbose);
  const shape = shapeOf(world.random);
  const weather = weatherOf(world.random);
  const simulation: Simulation = {
    seed,
    world,
    shape,
    weather,
    shelf: new Shelf(),
    outputs: new Outputs(shape),
    history: new History(),
    union: new Union(),
    versions: Array.from({ length: shape.sources }, () => 0),
  };
  world.note("shape", JSON.stringify(shape));
  world.note("weather", JSON.stringify(weather));
  if (world.chance(0.2)) {
    placeForeign(simulation.shelf, Array.from(versionsOf(simulation), (v) => v.key), world);
  }
  const onUnhandled = (reason: unknown) =>
    world.violate("errors", `unhandled rejection: ${String(reason)}`);
  process.on("unhandledRejection", onUnhandled);
  using spy = new OwnerSpy(world);
  const lanes = new Lanes(simulation, spy);
  try {
    await lanes.runFaulty();
    simulation.weather = calm(weather.latency);
    await lanes.runClean(1 + world.below(3));
    if (world.violations.length === 0) checkEnd(simulation);
    // Everything is complete: another run has nothing to do.
    await lanes.runIdle();
    await world.settle();
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
  return {
    seed,
    steps: world.steps,
    counts: world.counts,
    violations: world.violations,
    mostRepeated: lanes.mostRepeated,
    hash: world.hash,
    lines: world.lines ?? [],
  };
}

function* versionsOf({ shape, versions }: Simulation): Generator<
  { source: number; version: number; key: string; text: string | undefined }
> {
  for (const [source, version] of versions.entries()) {
    yield { source, version, key: keyOf(shape, source), text: versionText(shape, version) };
  }
}

/** After the last clean run everything is complete, and the outputs are what they should be. */
function checkEnd(simulation: Simulation): void {
  const { world, outputs, history } = simulation;
  for (const { source, version, key, text } of versionsOf(simulation)) {
    const last = prevailing(history.of(key));
    if (last?.state !== "complete" || last.version !== text) {
      world.violate("the end", `${JSON.stringify(key)} is not recorded complete`);
    }
    const missing = outputs.missing(source, version);
    const surplus = outputs.surplus(source, version);
    if (missing.length + surplus.length > 0) {
      world.violate(
        "the end",
        `outputs of ${JSON.stringify(key)}: ${missing.length} missing, ` +
          `${surplus.length} too many`,
      );
    }
  }
  // The merge does not depend on the order of records, nor on how often one comes.
  const union = new Union();
  const records = history.all();
  for (const { record } of world.shuffled([...records, ...records.slice(0, 10)])) union.add(record);
  for (const { key } of versionsOf(simulation)) checkUnion({ ...simulation, union }, key);
}
