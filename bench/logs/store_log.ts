import { encodeRecord } from "../../mod.ts";
import type { Harness } from "../../test/conformance/mod.ts";
import { openHarness } from "../open_harness.ts";
import type { RecordLog } from "./record_log.ts";
import { durabilityOf } from "../scenario.ts";

/** A store as a log of records. */
export async function openStoreLog(harness: Harness, directory: string): Promise<RecordLog> {
  const store = await openHarness(harness, directory);
  return {
    durability: durabilityOf(harness),
    append: (records) => store.append(records.map(encodeRecord)),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
