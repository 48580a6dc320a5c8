import type { SqliteDatabase } from "kysely";
import type { SqliteBinding } from "./binding.ts";

/** What the store uses of the package `better-sqlite3`. */
interface BetterSqlite3 {
  new (
    path: string,
    options: {
      readonly readonly: boolean;
      readonly fileMustExist: boolean;
      readonly timeout: number;
    },
  ): SqliteDatabase;
}

/** Loads the package `better-sqlite3`; a missing or unsuitable binary throws here. */
export async function loadBetterSqlite3(): Promise<SqliteBinding> {
  const Database: BetterSqlite3 = (await import("better-sqlite3")).default;
  new Database(":memory:", { readonly: false, fileMustExist: false, timeout: 0 }).close();
  return {
    name: "better-sqlite3",
    open: (path, { readOnly, timeout }) =>
      new Database(path, { readonly: readOnly, fileMustExist: true, timeout }),
  };
}
