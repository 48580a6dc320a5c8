import type { CheckpointStore } from "../../core/store.ts";
import { type FileFormat, FileStore, type FileStoreOptions } from "../file_store.ts";
import { loadBinding } from "./binding.ts";
import type { SqliteDriverName } from "./driver_name.ts";
import { type ReadPosition, RecordReader } from "./record_reader.ts";
import { WriterFile } from "./writer_file.ts";

/** How {@link openSqliteStore} opens a store. */
export interface SqliteStoreOptions extends FileStoreOptions {
  /**
   * The SQLite binding.
   * @default "better-sqlite3", or "node:sqlite" where that one cannot be loaded
   */
  readonly driver?: SqliteDriverName;
}

/**
 * Opens a checkpoint with one SQLite file per writer. Other writers' files are opened for
 * reading only.
 * @throws {TidemarkError} `DRIVER_MISSING`, `CHECKPOINT_OPEN` or `CHECKPOINT_MISMATCH`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<CheckpointStore> {
  const binding = await loadBinding(options.driver);
  const format: FileFormat<ReadPosition> = {
    store: "sqlite",
    start: () => ({ seq: 0 }),
    related: (path) => [path, `${path}-wal`],
    create: (directory, writer, part) => WriterFile.create(binding, directory, writer, part),
    read: (path, position, onDamage) =>
      new RecordReader(binding, path, position, onDamage).batches(),
  };
  return await FileStore.open(format, options);
}
