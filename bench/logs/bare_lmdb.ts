import { join } from "node:path";
import { encodeRecord } from "../../mod.ts";
import { optionalModule } from "../optional_module.ts";
import type { RecordLog } from "./record_log.ts";

/** What is used of the package `lmdb`. */
interface Database {
  put(key: number, value: Uint8Array): Promise<boolean>;
  readonly flushed: Promise<unknown>;
  close(): Promise<void>;
}

interface Lmdb {
  readonly open: (options: {
    readonly path: string;
    readonly encoding: "binary";
    readonly keyEncoding: "uint32";
    readonly cache: false;
  }) => Database;
}

/** Records under ascending keys, put through the driver alone. */
export async function openBareLmdb(directory: string): Promise<RecordLog> {
  const { open } = await optionalModule<Lmdb>("lmdb");
  const database = open({
    path: join(directory, "records.mdb"),
    encoding: "binary",
    keyEncoding: "uint32",
    cache: false,
  });
  let key = 0;
  return {
    durability: "put, then flushed",
    append: async (records) => {
      let last: Promise<boolean> | undefined;
      for (const record of records) last = database.put(key++, encodeRecord(record));
      await last;
      await database.flushed;
    },
    [Symbol.asyncDispose]: () => database.close(),
  };
}
