import type { ScenarioPart } from "../scenario.ts";
import { emptyTally, pause, type Torture } from "../torture.ts";
import type { Victim, VictimOptions } from "../victim_process.ts";

/** How many sources a run has opened when the disk begins to refuse. */
const OPENED_BEFORE = 40;

/**
 * Lets a run meet a disk that refuses: it must end, with an error of Tidemark's own or with
 * failed sources, and have recorded nothing that is not so. Runs are repeated, since the
 * moment decides what is refused.
 * @param refuse Makes the disk refuse, once the run has begun; it says no more after `allow`.
 * @param isSure Whether a run cannot succeed meanwhile.
 */
export async function meetRefusal(
  name: string,
  torture: Torture,
  { refuse, allow, isSure = true, ...options }: {
    readonly refuse: () => Promise<void>;
    readonly allow: () => Promise<void>;
    readonly isSure?: boolean;
    readonly mayDieOf?: RegExp;
  } & Partial<VictimOptions>,
): Promise<ScenarioPart> {
  const part = emptyTally();
  const victim = await torture.start({ ...options, part });
  let hasEnded = false;
  const ended = torture.end(victim).finally(() => hasEnded = true);
  while (!hasEnded && (await torture.opened(victim)) < OPENED_BEFORE) await pause(5);
  await refuse();
  const { report, killed, crash } = await ended;
  await allow();
  await torture.inspect(part);
  const { sources, error } = report;
  const unfinished = (sources?.failed ?? 0) + (sources?.pending ?? 0);
  if (killed) torture.failures.push(`${name}: the run was killed by somebody else`);
  else if (crash === undefined && isSure && error === undefined && unfinished === 0) {
    torture.failures.push(`${name}: the run noticed nothing`);
  }
  const note = crash === undefined ? describe(report) : "the runtime itself died";
  return { name, tally: part, note };
}

function describe({ sources, error }: Awaited<Victim["ended"]>["report"]): string {
  const counts = sources === undefined
    ? []
    : [`${sources.completed} done`, `${sources.failed} failed`, `${sources.unrecorded} unrecorded`];
  return [error?.code ?? "no error", ...counts].join(", ");
}
