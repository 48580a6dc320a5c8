import { mkdirSync } from "node:fs";
import { DoneFile } from "./logs/done_file.ts";
import type { RecordLog } from "./logs/record_log.ts";
import { openStoreLog } from "./logs/store_log.ts";
import type { Setting, Share } from "./scenario.ts";
import { completions } from "./source_names.ts";

/** As many records as one append of the engine has at most. */
const APPEND = 16_384;
/** Writers that are open at once: enough for their syncs to overlap. */
const AT_ONCE = 32;

/** What a checkpoint holds. */
export interface Contents {
  readonly sources: number;
  readonly writers: number;
}

/** The name under which contenders of all scenarios share a checkpoint. */
export function checkpointName(contender: string, { sources, writers }: Contents): string {
  return `${contender}: ${sources} sources by ${writers} writers`;
}

/** How many processes write a checkpoint: new files are mostly waiting for the disk. */
export function preparersOf({ writers }: Contents): number {
  return writers < 100 ? 1 : 4;
}

/**
 * Writes a share of the writers of the checkpoint that a setting is prepared with, done-files
 * where there is no store. All writers have as many sources.
 */
export async function prepareCheckpoint(
  { prepared: directory, harness, parameters }: Setting,
  { part, parts }: Share,
): Promise<void> {
  const [sources, writers] = [Number(parameters["sources"]), Number(parameters["writers"])];
  mkdirSync(directory, { recursive: true });
  const each = Math.ceil(sources / writers);
  const write = async (writer: number): Promise<void> => {
    const name = `writer-${writer}`;
    const end = Math.min(sources, (writer + 1) * each);
    await using log: RecordLog = harness === undefined
      ? await DoneFile.open(directory, name)
      : await openStoreLog(harness, directory);
    for (let start = writer * each; start < end; start += APPEND) {
      await log.append(completions(start, Math.min(APPEND, end - start), name));
    }
  };
  const own = Array.from({ length: writers }, (_, i) => i).filter((i) => i % parts === part);
  while (own.length > 0) await Promise.all(own.splice(0, AT_ONCE).map(write));
}
