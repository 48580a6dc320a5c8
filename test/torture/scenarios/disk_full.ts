import { join } from "node:path";
import { mountRefusal, SmallFileSystem } from "../file_system.ts";
import { resultOf, type Scenario, type ScenarioContext, type ScenarioPart } from "../scenario.ts";
import { Torture } from "../torture.ts";
import { meetRefusal } from "./refusals.ts";

const SOURCES = 300;
/** Long enough for the records to use up what a store has set aside. */
const VERSION_LENGTH = 2_000;
const DISK_BYTES = 24 << 20;
/** Below what the stores need for so many records, above what they need to begin. */
const FILE_LIMIT = 1_200_000;

/** Node ignores the signal that comes with the error, Deno dies of it unless it is ignored. */
const IGNORING_SIGNAL = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"];

/** Fills the disk in the middle of a run, or forbids files beyond a size. */
export const diskFull: Scenario = {
  name: "disk-full",
  summary: "no space left in the middle of a run, for the checkpoint, the outputs, or both",
  async run(context) {
    const tortures: Torture[] = [];
    const parts: ScenarioPart[] = [];
    const skipped: string[] = [];
    const refusal = mountRefusal();
    if (refusal !== undefined) skipped.push(`small disks: ${refusal}; only file sizes are limited`);
    else {
      for (const full of ["checkpoint", "outputs", "both"] as const) {
        const { torture, part } = await onSmallDisk(context, full);
        tortures.push(torture);
        parts.push(part);
      }
    }
    const torture = new Torture(context, join(context.directory, "limited"), {
      sources: SOURCES,
      versionLength: VERSION_LENGTH,
    });
    parts.push(
      await meetRefusal("file size limited", torture, {
        wrapper: [...IGNORING_SIGNAL, "prlimit", `--fsize=${FILE_LIMIT}`],
        // A store may go on in another file.
        isSure: false,
        refuse: async () => {},
        allow: async () => {},
      }),
    );
    await torture.finish();
    return resultOf([...tortures, torture], parts, skipped);
  },
};

async function onSmallDisk(
  context: ScenarioContext,
  full: "checkpoint" | "outputs" | "both",
): Promise<{ torture: Torture; part: ScenarioPart }> {
  const directory = join(context.directory, full);
  await using disk = await SmallFileSystem.inMemory(join(directory, "disk"), DISK_BYTES);
  const torture = new Torture(context, directory, {
    sources: SOURCES,
    versionLength: VERSION_LENGTH,
    ...(full === "outputs" ? {} : { checkpoint: join(disk.path, "ckpt") }),
    ...(full === "checkpoint" ? {} : { output: join(disk.path, "output") }),
  });
  const part = await meetRefusal(`no space for ${full}`, torture, {
    refuse: () => disk.fill(Math.floor(context.random() * 20_000)),
    allow: () => disk.free(),
  });
  await torture.finish();
  return { torture, part };
}
