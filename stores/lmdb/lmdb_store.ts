import type { CheckpointStore } from "../../core/store.ts";
import { type FileFormat, FileStore, type FileStoreOptions } from "../file_store.ts";
import { type LmdbDriver, loadLmdb } from "./driver.ts";
import { PageFile } from "./page_file.ts";
import { PageReader, type ReadPosition, startOfFile } from "./page_reader.ts";
import { WriterFile } from "./writer_file.ts";

/** How {@link openLmdbStore} opens a store. */
export interface LmdbStoreOptions extends FileStoreOptions {
  /**
   * Loads the package `lmdb`.
   * @default import("lmdb")
   */
  readonly load?: () => Promise<LmdbDriver>;
}

async function* readPages(
  path: string,
  position: ReadPosition,
  onDamage: (what: string) => void,
): AsyncGenerator<readonly Uint8Array[]> {
  await using file = await PageFile.open(path);
  yield* new PageReader(file, position, onDamage).batches();
}

/**
 * Opens a checkpoint with one LMDB file per writer. This process's file is written through
 * the package `lmdb`; other writers' files are read as plain files, never through LMDB,
 * which crashes the process on a file that is not as LMDB expects it.
 * @throws {TidemarkError} `DRIVER_MISSING`, `CHECKPOINT_OPEN` or `CHECKPOINT_MISMATCH`.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<CheckpointStore> {
  const driver = await loadLmdb(options.load);
  const format: FileFormat<ReadPosition> = {
    store: "lmdb",
    start: startOfFile,
    related: (path) => [path],
    create: (directory, writer, part) => WriterFile.create(driver, directory, writer, part),
    read: readPages,
  };
  return await FileStore.open(format, options);
}
