import { decodeRecord } from "../../core/record_codec.ts";
import { type AppendState, prevailing } from "./history.ts";
import { keyOf, versionText } from "./shape.ts";
import type { SimulatedProcess } from "./simulated_process.ts";
import type { Simulation } from "./simulation.ts";

/** Puts a record that a process appended on the shelf, and checks what it says. */
export function durableRecord(
  process: SimulatedProcess,
  bytes: Uint8Array,
  append: AppendState,
): void {
  const { simulation, run } = process;
  const { world, shelf, history, union } = simulation;
  shelf.add(process.name, { bytes, isDamaged: false });
  const record = decodeRecord(bytes);
  if (typeof record === "string") {
    world.violate("the codec", `a record of ${process.name} reads as ${record}`);
    return;
  }
  world.note(
    process.name,
    `has on disk: ${JSON.stringify(record.source)} ${record.state} ` +
      `${record.clock} ${record.version ?? ""}`,
  );
  const before = prevailing(history.of(record.source));
  history.add(record, process.name, append);
  union.add(record);
  const source = sourceOf(simulation, record.source);
  if (source === undefined) {
    world.violate("identity", `a record speaks of ${JSON.stringify(record.source)}`);
    return;
  }
  if (record.writer !== process.name) {
    world.violate("identity", `a record of ${process.name} says it is of ${record.writer}`);
  }
  if (record.state === "complete") {
    world.count("completed");
    const version = versionOf(simulation, source, record.version);
    const missing = version === undefined ? undefined : simulation.outputs.missing(source, version);
    if (missing === undefined || missing.length > 0) {
      world.violate(
        "nothing complete early",
        `${JSON.stringify(record.source)} ${record.version ?? ""} became durably complete, but ` +
          `${missing?.length ?? "all"} of its outputs are not durable`,
      );
    }
  } else if (record.state === "reopened") {
    world.count("reopenings");
  }
  run!.recordDurable(source, record);
  const after = prevailing(history.of(record.source));
  if (
    before?.state === "complete" && after?.state === "failed" && before.version === after.version
  ) {
    world.count("undone");
  }
  checkUnion(simulation, record.source);
}

/** A damaged record must not pass for one. */
export function damagedRecord({ world }: Simulation, bytes: Uint8Array): void {
  if (typeof decodeRecord(bytes) !== "string") {
    world.violate("the codec", `took ${bytes.length} damaged bytes for a record`);
  }
}

/** The real union says of a source what the naive merge of all records says. */
export function checkUnion({ world, history, union }: Simulation, key: string): void {
  const naive = prevailing(history.of(key));
  const real = union.get(key);
  const text = (r: typeof real) => JSON.stringify([r?.state, r?.clock, r?.version, r?.failure]);
  if (text(naive) !== text(real)) {
    world.violate("the union", `says ${text(real)} of ${JSON.stringify(key)}, not ${text(naive)}`);
  }
  const isComplete = naive?.state === "complete";
  const version = naive?.version;
  if (
    union.isComplete(key) !== isComplete ||
    (version !== undefined && union.isComplete(key, version) !== isComplete) ||
    union.isComplete(key, "no version of it")
  ) {
    world.violate("the union", `is wrong about ${JSON.stringify(key)} being complete`);
  }
}

/** Which source the checkpoint means. */
export function sourceOf({ shape }: Simulation, key: string): number | undefined {
  for (let i = 0; i < shape.sources; i++) if (keyOf(shape, i) === key) return i;
  return undefined;
}

function versionOf(
  { shape, versions }: Simulation,
  source: number,
  text: string | undefined,
): number | undefined {
  for (let version = versions[source]!; version >= 0; version--) {
    if (versionText(shape, version) === text) return version;
  }
  return undefined;
}
