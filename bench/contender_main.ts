/** The process of one contender: measures a round for each line on standard input. */
import process from "node:process";
import { createInterface } from "node:readline";
import { messageOf, TidemarkError } from "../mod.ts";
import { loadHarness } from "../test/conformance/mod.ts";
import { type Answer, type Assignment, encodeAnswer } from "./message.ts";
import { type Setting, Unavailable } from "./scenario.ts";
import { loadScenario, type ScenarioName } from "./scenarios.ts";

function answer(it: Answer): void {
  process.stdout.write(encodeAnswer(it));
}

async function work(assignment: Assignment): Promise<void> {
  const { store, ...rest } = assignment;
  const scenario = await loadScenario(assignment.scenario as ScenarioName);
  const harness = store === undefined ? undefined : await loadHarness(store);
  const setting: Setting = { ...rest, harness };
  if (assignment.prepare !== undefined) {
    await scenario.prepare?.(setting, assignment.prepare);
    answer({ kind: "ready", durability: "" });
    return;
  }
  // What a store keeps in memory only can be read in the same process only.
  if (assignment.prepared !== "" && harness?.capabilities.durable === false) {
    await scenario.prepare?.(setting, { part: 0, parts: 1 });
  }
  await using subject = await scenario.open(setting);
  answer({ kind: "ready", durability: subject.durability });
  for await (const _ of createInterface({ input: process.stdin })) {
    answer({ kind: "figures", figures: await subject.round() });
  }
}

try {
  await work(JSON.parse(process.argv[2]!) as Assignment);
} catch (thrown) {
  const unavailable = thrown instanceof Unavailable ||
    (thrown instanceof TidemarkError && thrown.code === "DRIVER_MISSING");
  answer({ kind: unavailable ? "unavailable" : "failed", reason: messageOf(thrown) });
}
