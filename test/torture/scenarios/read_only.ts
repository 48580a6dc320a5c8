import { join } from "node:path";
import { mountRefusal, SmallFileSystem } from "../file_system.ts";
import { resultOf, type Scenario, type ScenarioPart } from "../scenario.ts";
import { Torture } from "../torture.ts";
import { meetRefusal } from "./refusals.ts";

const SOURCES = 300;
const DISK_BYTES = 64 << 20;

/**
 * Lets nothing be written any more from the middle of a run on. (A journal that is aborted, as
 * after a disk error, is no test of ours: the kernel then loses what a sync that was under way
 * at that moment has promised.)
 */
export const readOnly: Scenario = {
  name: "read-only",
  summary: "the checkpoint, or the outputs' file system, becomes read-only in the middle of a run",
  async run(context) {
    const refusal = mountRefusal();
    if (refusal !== undefined) return resultOf([], [], [refusal]);
    const tortures: Torture[] = [];
    const parts: ScenarioPart[] = [];
    for (const which of ["checkpoint", "outputs"] as const) {
      const directory = join(context.directory, which);
      let disk: SmallFileSystem;
      try {
        disk = await SmallFileSystem.inFile(join(directory, "disk"), DISK_BYTES);
      } catch (cause) {
        const said = cause instanceof Error ? cause.message.trim() : String(cause);
        return resultOf(tortures, parts, [`no file system in a file can be mounted: ${said}`]);
      }
      await using _ = disk;
      const place = join(disk.path, which);
      const torture = new Torture(context, directory, {
        sources: SOURCES,
        ...(which === "checkpoint" ? { checkpoint: place } : { output: place }),
      });
      // The checkpoint's files are open, so that its file system cannot be made read-only.
      const how = which === "checkpoint"
        ? { refuse: () => disk.forbidWriting(place), allow: () => disk.allowWriting(place) }
        : { refuse: () => disk.remountReadOnly(), allow: () => disk.remountWritable() };
      parts.push(await meetRefusal(`${which} read-only`, torture, how));
      await torture.finish();
      tortures.push(torture);
    }
    return resultOf(tortures, parts);
  },
};
