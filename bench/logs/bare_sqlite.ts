import { join } from "node:path";
import { encodeRecord } from "../../mod.ts";
import { optionalModule } from "../optional_module.ts";
import type { RecordLog } from "./record_log.ts";

/** What is used of the package `better-sqlite3`. */
interface Database {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): { run(value: Uint8Array): unknown };
  close(): unknown;
}

interface BetterSqlite3 {
  readonly default: new (path: string) => Database;
}

/** A table of records, inserted through the driver alone. */
export async function openBareSqlite(directory: string): Promise<RecordLog> {
  const { default: Database } = await optionalModule<BetterSqlite3>("better-sqlite3");
  const database = new Database(join(directory, "records.sqlite"));
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = full");
  database.exec("create table record (seq integer primary key, data blob not null)");
  const insert = database.prepare("insert into record (data) values (?)");
  return {
    durability: "WAL, synchronous=FULL",
    append: async (records) => {
      database.exec("begin immediate");
      for (const record of records) insert.run(encodeRecord(record));
      database.exec("commit");
    },
    [Symbol.asyncDispose]: async () => void database.close(),
  };
}
