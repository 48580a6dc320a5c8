import { driverMissing } from "../driver_missing.ts";

/** What the store uses of an LMDB database that it writes. */
export interface LmdbDatabase {
  /** @param options `append`: the key is higher than all others, so pages can be filled. */
  put(key: number, value: Uint8Array, options: { readonly append: true }): Promise<boolean>;
  batch(callback: () => void): Promise<boolean>;
  close(): Promise<void>;
}

/** Options with which the store opens its own file. */
export interface LmdbDriverOptions {
  readonly path: string;
  readonly encoding: "binary";
  readonly keyEncoding: "uint32";
  readonly overlappingSync: boolean;
  readonly eventTurnBatching: boolean;
  readonly cache: boolean;
  readonly maxDbs: number;
}

/** What the store uses of the package `lmdb`. */
export interface LmdbDriver {
  open(options: LmdbDriverOptions): LmdbDatabase;
}

/**
 * Loads the package `lmdb`.
 * @throws {TidemarkError} `DRIVER_MISSING`.
 */
export async function loadLmdb(
  load: () => Promise<LmdbDriver> = () => import("lmdb"),
): Promise<LmdbDriver> {
  try {
    return await load();
  } catch (cause) {
    throw driverMissing("lmdb", "lmdb", cause);
  }
}
