import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { resultOf, type Scenario, type ScenarioContext, type ScenarioPart } from "../scenario.ts";
import {
  type Call,
  callsOf,
  killWhenHeld,
  type Point,
  POINTS,
  type Side,
  straceCommand,
  straceMissing,
} from "../strace.ts";
import { emptyTally, Torture } from "../torture.ts";

/** One thread makes all calls of Node's, so that their counts are the same in each run. */
const ENVIRONMENT = { UV_THREADPOOL_SIZE: "1" };
/** What a run opens at most, and the run that is not killed opens. */
const SOURCES_PER_RUN = 30;
/** How often a point is tried that a run did not come to. */
const TRIES = 5;
const TRIES_EXPECTED = 2;

/** Kills before and after the calls that matter, on the files that matter. */
export const points: Scenario = {
  name: "points",
  summary: "kill -KILL before and after each write, sync, rename, link, close …",
  async run(context) {
    const missing = straceMissing();
    if (missing !== undefined) return resultOf([], [], [missing]);
    const isOurs = (line: string) =>
      line.includes(`${context.directory}/ckpt/`) || line.includes(`${context.directory}/output`);
    const calls = await dryRun(context);
    const targets = targetsOf(calls);
    const kills = Math.max(context.kills, targets.length);
    const torture = new Torture(context, context.directory, {
      sources: SOURCES_PER_RUN * TRIES_EXPECTED * kills,
    });
    for (let done = 0; done < kills; done++) {
      const target = targets[done % targets.length]!;
      for (let left = TRIES; left > 0 && !(await killAt(torture, target, context, isOurs)); left--);
    }
    await torture.finish();
    for (const { name, tally } of targets) {
      if (tally.kills === 0) torture.failures.push(`no run was killed ${name}`);
    }
    const skipped = Object.keys(POINTS)
      .filter((point) => !calls.some(({ syscall }) => pointOf(syscall) === point))
      .map((point) => `${point}: never called on these files`);
    return resultOf([torture], targets, skipped);
  },
};

interface Target extends ScenarioPart {
  readonly side: Side;
  readonly calls: readonly Call[];
}

function pointOf(syscall: string): Point {
  return (Object.keys(POINTS) as Point[]).find((point) =>
    (POINTS[point] as readonly string[]).includes(syscall)
  )!;
}

/** What a run calls, where nothing is killed. */
async function dryRun(context: ScenarioContext): Promise<Call[]> {
  const directory = join(context.directory, "dry");
  await mkdir(directory);
  const torture = new Torture(context, directory, { sources: SOURCES_PER_RUN });
  const victim = await torture.start({ wrapper: straceCommand(), environment: ENVIRONMENT });
  const calls = callsOf(
    victim.wrapperOutput,
    (line) => line.includes(`${directory}/ckpt/`) || line.includes(`${directory}/output`),
  );
  const { crash } = await torture.end(victim);
  if (crash !== undefined) throw new Error(`the run under strace failed: ${crash}`);
  return await calls;
}

function targetsOf(calls: readonly Call[]): Target[] {
  return (Object.keys(POINTS) as Point[]).flatMap((point) => {
    const own = calls.filter(({ syscall }) => pointOf(syscall) === point);
    if (own.length === 0) return [];
    return (["before", "after"] as const).map((side) => ({
      name: `${side} ${point}`,
      side,
      calls: own,
      tally: emptyTally(),
    }));
  });
}

/** @returns whether a run was killed at the point, on one of our files. */
async function killAt(
  torture: Torture,
  { side, calls, tally }: Target,
  { random }: ScenarioContext,
  isOurs: (line: string) => boolean,
): Promise<boolean> {
  const { syscall, count } = calls[Math.floor(random() * calls.length)]!;
  const at = { syscall, count, side };
  const victim = await torture.start({
    part: tally,
    wrapper: straceCommand(at),
    environment: ENVIRONMENT,
    mostOpened: SOURCES_PER_RUN,
  });
  const killedAt = killWhenHeld(victim.wrapperOutput, isOurs, at);
  const { killed } = await torture.end(victim);
  const isHit = killed && (await killedAt) !== undefined;
  // Killed too late: a kill, but not at this point.
  if (killed && !isHit) tally.kills--;
  await torture.inspect(tally);
  return isHit;
}
