/** The SQLite bindings, in the order in which they are tried. */
export const SQLITE_DRIVERS = ["better-sqlite3", "node:sqlite"] as const;

/** The name of a SQLite binding. */
export type SqliteDriverName = (typeof SQLITE_DRIVERS)[number];
