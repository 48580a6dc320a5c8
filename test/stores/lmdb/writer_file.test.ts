import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { CheckpointDirectory } from "../../../stores/directory.ts";
import { type LmdbDriver, loadLmdb } from "../../../stores/lmdb/driver.ts";
import { openLmdbStore } from "../../../stores/lmdb/lmdb_store.ts";
import { WriterFile } from "../../../stores/lmdb/writer_file.ts";
import { numberedRange, range, readNumbers } from "../../conformance/records.ts";
import { readCheckpoint, writeCheckpoint } from "../file_stores.ts";
import { temporaryDirectories } from "../temporary_directory.ts";

const temporary = temporaryDirectories();

describe("openLmdbStore()", () => {
  it("never hands the driver a file that it did not create itself", async () => {
    const path = temporary();
    await writeCheckpoint({ store: "lmdb", path }, [numberedRange(0, 10)]);
    const driver = await loadLmdb();
    const handed: string[] = [];
    const watched: LmdbDriver = {
      open(options) {
        handed.push(options.path);
        return driver.open(options);
      },
    };
    const store = await openLmdbStore({ path, load: async () => watched });
    expect(await readNumbers(store)).toEqual(range(0, 10));
    expect(handed).toEqual([]);
    await store.append(numberedRange(10, 10));
    await store.append(numberedRange(20, 10));
    expect(await readNumbers(store)).toEqual([]);
    await store.close();
    expect(handed.map((item) => dirname(item))).toEqual(Array(2).fill(join(path, ".tidemark")));
    expect(handed.map((item) => basename(item))).toEqual([
      expect.stringMatching(/^\.[0-9a-f]+\.tmp$/),
      `${store.writer}.mdb`,
    ]);
  });

  it("says which package is missing", async () => {
    const load = () => Promise.reject(new Error("Cannot find package 'lmdb'"));
    await expect(openLmdbStore({ path: temporary(), load })).rejects.toMatchObject({
      code: "DRIVER_MISSING",
      message: expect.stringContaining("npm install lmdb"),
    });
  });

  it("records a refused batch elsewhere when it is tried again", async () => {
    const path = temporary();
    const driver = await loadLmdb();
    let refuse = false;
    const failing: LmdbDriver = {
      open(options) {
        const database = driver.open(options);
        return {
          put: (...entry) => database.put(...entry),
          batch: (callback) =>
            refuse ? Promise.reject(new Error("input/output error")) : database.batch(callback),
          close: () => database.close(),
        };
      },
    };
    const store = await openLmdbStore({ path, load: async () => failing });
    await store.append(numberedRange(0, 5));
    refuse = true;
    await expect(store.append(numberedRange(5, 5))).rejects.toMatchObject({
      code: "CHECKPOINT_WRITE",
      message: expect.stringContaining("input/output error"),
      cause: expect.objectContaining({ message: "input/output error" }),
    });
    await expect(store.append(numberedRange(5, 5))).rejects.toMatchObject({
      code: "CHECKPOINT_WRITE",
    });
    refuse = false;
    await store.append(numberedRange(5, 5));
    expect(await readNumbers(store)).toEqual([]);
    await store.close();
    const { numbers, warnings } = await readCheckpoint({ store: "lmdb", path });
    expect(warnings).toEqual([]);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(range(0, 10));
  });
});

it("hears of a transaction that fails by every promise of the driver's, and tells it once", async () => {
  const path = temporary();
  const driver = await loadLmdb();
  let isBroken = false;
  const failed = () => Promise.reject(new Error("read-only file system"));
  const breaking: LmdbDriver = {
    open(options) {
      const database = driver.open(options);
      return {
        put: (...entry) => isBroken ? failed() : database.put(...entry),
        batch(callback) {
          if (!isBroken) return database.batch(callback);
          callback();
          return failed();
        },
        close: () => database.close(),
      };
    },
  };
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  const store = await openLmdbStore({ path, load: async () => breaking });
  await store.append(numberedRange(0, 5));
  isBroken = true;
  await expect(store.append(numberedRange(5, 500))).rejects.toMatchObject({
    message: expect.stringContaining("read-only file system"),
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", hear);
  expect(unheard).toEqual([]);
  await store.close();
});

describe("WriterFile", () => {
  it("takes the next name where one is taken", async () => {
    const directory = await CheckpointDirectory.open(temporary(), "lmdb");
    const driver = await loadLmdb();
    const first = await WriterFile.create(driver, directory, "writer", 0);
    const second = await WriterFile.create(driver, directory, "writer", 0);
    expect([first, second].map(({ path }) => basename(path))).toEqual([
      "writer.mdb",
      "writer.1.mdb",
    ]);
    await first.close();
    await second.close();
  });

  it("reserve() makes all the room that append() needs", async () => {
    const directory = await CheckpointDirectory.open(temporary(), "lmdb");
    const file = await WriterFile.create(await loadLmdb(), directory, "writer", 0);
    let state = 4711;
    const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
    for (let time = 0; time < 400; time++) {
      const most = [0, 20, 200, 1000, 2500, 5000, 70_000][next(7)]!;
      const records = range(0, 1 + next([1, 3, 50, 400][next(4)]!)).map(() =>
        new Uint8Array(next(most + 1))
      );
      await file.reserve(records);
      const { size } = statSync(file.path);
      await file.append(records);
      expect(statSync(file.path).size, `${records.length} records of up to ${most} bytes`).toBe(
        size,
      );
    }
    const { size } = statSync(file.path);
    await file.close();
    expect(statSync(file.path).size).toBeLessThan(size);
  }, 60_000);

  it("is small after a small run", async () => {
    const directory = await CheckpointDirectory.open(temporary(), "lmdb");
    const file = await WriterFile.create(await loadLmdb(), directory, "writer", 0);
    await file.reserve(numberedRange(0, 3));
    await file.append(numberedRange(0, 3));
    await file.close();
    expect(statSync(file.path).size).toBeLessThanOrEqual(64 * 1024);
  });
});
