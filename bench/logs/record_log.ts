import type { CheckpointRecord } from "../../mod.ts";
import type { Setting } from "../scenario.ts";

/** Something that keeps records, a batch at a time: a store, or a simpler way. */
export interface RecordLog extends AsyncDisposable {
  /** What has become of records when `append` resolves. */
  readonly durability: string;
  append(records: readonly CheckpointRecord[]): Promise<void>;
}

/** Opens one of the baselines. No driver is loaded before. */
const BASELINES: Readonly<Record<string, (directory: string) => Promise<RecordLog>>> = {
  "append + fdatasync": async (directory) =>
    (await import("./append_file.ts")).AppendFile.open(directory),
  "JSONL done-file": async (directory) => (await import("./done_file.ts")).DoneFile.open(directory),
  "bare better-sqlite3": async (directory) =>
    (await import("./bare_sqlite.ts")).openBareSqlite(directory),
  "bare lmdb": async (directory) => (await import("./bare_lmdb.ts")).openBareLmdb(directory),
};

/** Opens what a contender appends to: its store, or the baseline of its name. */
export async function openRecordLog(
  { harness, contender, directory }: Pick<Setting, "harness" | "contender" | "directory">,
): Promise<RecordLog> {
  if (harness === undefined) return await BASELINES[contender]!(directory);
  const { openStoreLog } = await import("./store_log.ts");
  return await openStoreLog(harness, directory);
}
