import { printable, TidemarkError } from "../core/errors.ts";
import type { CheckpointStore } from "../core/store.ts";
import { SQLITE_DRIVERS, type SqliteDriverName } from "./sqlite/driver_name.ts";

/** The stores that a configuration can name. The first one is the default. */
export const STORE_NAMES = ["lmdb", "sqlite", "memory"] as const;

/** The name of a store. */
export type StoreName = (typeof STORE_NAMES)[number];

/** A checkpoint directory kept by LMDB, the default. */
export interface LmdbStoreConfig {
  /** Which store. */
  readonly store: "lmdb";
  /** The checkpoint directory. It is created where it is missing. */
  readonly path: string;
}

/** A checkpoint directory kept by SQLite. */
export interface SqliteStoreConfig {
  /** Which store. */
  readonly store: "sqlite";
  /** The checkpoint directory. It is created where it is missing. */
  readonly path: string;
  /**
   * The SQLite binding.
   * @default "better-sqlite3", or "node:sqlite" where that one cannot be loaded
   */
  readonly driver?: SqliteDriverName;
}

/** A checkpoint in the memory of this process. */
export interface MemoryStoreConfig {
  /** Which store. */
  readonly store: "memory";
  /**
   * A name under which other runs of this process find the same checkpoint.
   * @default "" – a fresh one each time
   */
  readonly path?: string;
}

/** A store by name, with its options. */
export type NamedStoreConfig = LmdbStoreConfig | SqliteStoreConfig | MemoryStoreConfig;

/**
 * Where to keep a checkpoint: a directory (`"./ckpt"`, kept by LMDB), a store and its place
 * (`"sqlite:./ckpt"`, `"node:sqlite:./ckpt"`, `"better-sqlite3:./ckpt"`, `"memory:"`,
 * `"memory:name"`), the same as an object with options, or a store object.
 */
export type StoreConfig = string | NamedStoreConfig | CheckpointStore;

const OPTIONS: Readonly<Record<StoreName, readonly string[]>> = {
  lmdb: ["store", "path"],
  sqlite: ["store", "path", "driver"],
  memory: ["store", "path"],
};
/** A prefix of one letter is a Windows drive, not a store. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/;

function isOneOf<T extends string>(known: readonly T[], value: unknown): value is T {
  return known.some((item) => item === value);
}

function invalid(message: string): TidemarkError {
  return new TidemarkError("OPTION_INVALID", message, { subject: "checkpoint" });
}

function unknownStore(name: unknown): TidemarkError {
  const shown = typeof name === "string" ? printable(name) : typeof name;
  return new TidemarkError(
    "STORE_UNKNOWN",
    `There is no store "${shown}": use one of ${STORE_NAMES.join(", ")}, ` +
      `as in "sqlite:./ckpt", or begin a path that holds a colon with "./"`,
    { subject: shown },
  );
}

const STORE_METHODS = ["manifest", "read", "append", "close"] as const;

/** Whether it is a store of somebody's own. One that has only a part of the methods is refused. */
function isStore(config: object): config is CheckpointStore {
  const missing = STORE_METHODS.filter((name) =>
    typeof (config as Record<string, unknown>)[name] !== "function"
  );
  if (missing.length === STORE_METHODS.length) return false;
  if (missing.length === 0) return true;
  throw invalid(
    `A checkpoint store needs the methods ${STORE_METHODS.join(", ")}: this one has no ` +
      missing.join(" and no "),
  );
}

function checkedPath(store: StoreName, path: unknown): string {
  if (typeof path !== "string") {
    throw invalid(`The ${store} store's "path" must be a text, not ${typeof path}`);
  }
  if (path.trim() === "") {
    throw invalid(`The ${store} store needs the path of a checkpoint directory, as in "./ckpt"`);
  }
  if (path.includes("\0")) {
    throw invalid(`The checkpoint path ${printable(path)} holds a null character`);
  }
  return path;
}

function parseText(text: string): NamedStoreConfig {
  const driver = SQLITE_DRIVERS.find((name) => text.startsWith(`${name}:`));
  if (driver !== undefined) {
    const path = checkedPath("sqlite", text.slice(driver.length + 1));
    return { store: "sqlite", path, driver };
  }
  const bare = [...STORE_NAMES, ...SQLITE_DRIVERS].find((name) => name === text);
  if (bare !== undefined) {
    const place = bare === "memory" ? "" : "./ckpt";
    throw invalid(
      `"${bare}" is a store and no place: write "${bare}:${place}", or "./${bare}" for a ` +
        "directory of that name",
    );
  }
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme === undefined) return { store: "lmdb", path: checkedPath("lmdb", text) };
  if (!isOneOf(STORE_NAMES, scheme)) throw unknownStore(scheme);
  const path = text.slice(scheme.length + 1);
  return scheme === "memory"
    ? { store: scheme, path }
    : { store: scheme, path: checkedPath(scheme, path) };
}

function parseObject(config: Readonly<Record<string, unknown>>): NamedStoreConfig {
  const { store, path, driver } = config;
  if (!isOneOf(STORE_NAMES, store)) throw unknownStore(store);
  const odd = Object.keys(config).find((key) => !OPTIONS[store].includes(key));
  if (odd !== undefined) {
    throw invalid(
      `The ${store} store has no option "${printable(odd)}": it knows ${OPTIONS[store].join(", ")}`,
    );
  }
  if (store === "memory") {
    if (path !== undefined && typeof path !== "string") {
      throw invalid(`The memory store's "path" must be a text, not ${typeof path}`);
    }
    return { store, path: path ?? "" };
  }
  const named = { store, path: checkedPath(store, path) };
  if (driver === undefined) return named;
  if (!isOneOf(SQLITE_DRIVERS, driver)) {
    throw invalid(`The sqlite store's "driver" must be one of ${SQLITE_DRIVERS.join(", ")}`);
  }
  return { ...named, store: "sqlite", driver };
}

/**
 * Checks a store's configuration and returns a frozen copy with its names resolved; a store
 * object is returned as it is.
 * @throws {TidemarkError} `STORE_UNKNOWN` for a name that is no store's; `OPTION_INVALID`
 * for anything else that is wrong.
 */
export function parseStoreConfig(config: unknown): Readonly<NamedStoreConfig> | CheckpointStore {
  if (typeof config === "string") return Object.freeze(parseText(config));
  if (typeof config !== "object" || config === null) {
    throw invalid(
      `A checkpoint must be a path, an object with "store", or a store, not ${
        config === null ? "null" : typeof config
      }`,
    );
  }
  if (config instanceof URL) {
    throw invalid("A checkpoint is a path and no URL: give it as fileURLToPath(url)");
  }
  if (isStore(config)) return config;
  if (!("store" in config)) {
    throw invalid(
      `A checkpoint given as an object needs "store": one of ${STORE_NAMES.join(", ")}`,
    );
  }
  return Object.freeze(parseObject({ ...config }));
}
