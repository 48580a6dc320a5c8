import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openRecordLog } from "../logs/record_log.ts";
import {
  besideStores,
  type Contender,
  type Figures,
  FreshSubject,
  type Scenario,
} from "../scenario.ts";
import { completions } from "../source_names.ts";

const BASELINE = "JSONL done-file";
const QUICK = { sources: 5_000, sizes: [1, 100, 5_000] };
const FULL = { sources: 100_000, sizes: [1, 100, 10_000] };
const BLOCK = 512;

/** What the files below a directory take up on disk. */
function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const { blocks, size } = statSync(join(entry.parentPath, entry.name));
    bytes += Number.isFinite(blocks) ? blocks * BLOCK : size;
  }
  return bytes;
}

class Filling extends FreshSubject {
  async round(): Promise<Figures> {
    const { directory, parameters } = this.setting;
    const sources = Number(parameters["sources"]);
    const size = Number(parameters["size"]);
    const log = await openRecordLog(this.setting);
    for (let start = 0; start < sources; start += size) {
      await log.append(completions(start, Math.min(size, sources - start), "writer-0"));
    }
    const open = bytesBelow(directory);
    await log[Symbol.asyncDispose]();
    return { open: open / sources, closed: bytesBelow(directory) / sources };
  }
}

/** What a checkpoint takes up. */
export const size: Scenario = {
  name: "size",
  summary: "bytes on disk per source by batch size (one writer, allocated blocks), while the " +
    "writer is open and after it has closed; measured once",
  usesStores: true,
  columns: [
    { key: "open", title: "open", unit: "bytes/source" },
    { key: "closed", title: "closed", unit: "bytes/source", compared: true },
  ],
  leftOut: "100,000 sources",
  contests: ({ full, stores }) => {
    const { sources, sizes } = full ? FULL : QUICK;
    return sizes.map((size) => {
      const contender = (name: string): Contender => ({ name, parameters: { sources, size } });
      return {
        name: `${sources.toLocaleString("en")} sources, batches of ${size.toLocaleString("en")}`,
        contenders: besideStores([BASELINE], stores.filter(({ durable }) => durable), contender),
        baselines: [BASELINE],
        rounds: 1,
        fresh: true,
      };
    });
  },
  open: async (setting) => new Filling(setting),
};
