import process from "node:process";
import type { SqliteDatabase, SqliteStatement } from "kysely";
import type { SqliteBinding } from "./binding.ts";

type Value = null | number | bigint | string | Uint8Array;

/** What the store uses of a statement of `node:sqlite`. */
interface NodeStatement {
  all(...parameters: Value[]): unknown[];
  iterate(...parameters: Value[]): IterableIterator<unknown>;
  run(...parameters: Value[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

/** What the store uses of a database of `node:sqlite`. */
interface NodeDatabase {
  prepare(sql: string): NodeStatement;
  close(): void;
}

interface NodeSqlite {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly readOnly: boolean; readonly timeout: number },
  ) => NodeDatabase;
}

/** Loads the module without its warning that it is experimental, which is not the user's concern. */
function loadQuietly(): NodeSqlite {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]) => {
    if (!String(warning).includes("SQLite is an experimental feature")) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  };
  try {
    const found = process.getBuiltinModule("node:sqlite");
    if (found === undefined) throw new Error("there is no node:sqlite");
    return found;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function adaptStatement(statement: NodeStatement): SqliteStatement {
  const values = (parameters: ReadonlyArray<unknown>) => parameters as Value[];
  return {
    // Statements without rows may be asked for all of them too, and older runtimes do not tell.
    reader: true,
    all: (parameters) => statement.all(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
  };
}

function adaptDatabase(database: NodeDatabase): SqliteDatabase {
  return {
    prepare: (sql) => adaptStatement(database.prepare(sql)),
    close: () => database.close(),
  };
}

/** Loads the SQLite that is part of the runtime. */
export async function loadNodeSqlite(): Promise<SqliteBinding> {
  const { DatabaseSync } = loadQuietly();
  return {
    name: "node:sqlite",
    open: (path, mode) => adaptDatabase(new DatabaseSync(path, mode)),
  };
}
