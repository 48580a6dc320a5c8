import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type NamedStoreConfig, openStore } from "../../stores/open_store.ts";
import { numberedRange, range } from "../conformance/records.ts";
import { FILE_STORES, filesOf, readCheckpoint, writeCheckpoint } from "./file_stores.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();
const PAGE = 4096;

/** What a kill leaves of a checkpoint that is open: its files as they are, in a new place. */
function asKilled(path: string): string {
  const copy = temporary();
  cpSync(join(path, ".tidemark"), join(copy, ".tidemark"), { recursive: true });
  return copy;
}

/** A checkpoint as it was after each of some appends, the last one closed. */
async function states(
  config: (path: string) => NamedStoreConfig,
  appends: readonly (readonly Uint8Array[])[],
): Promise<{ killed: string[]; closed: string }> {
  const closed = temporary();
  const store = await openStore(config(closed));
  const killed: string[] = [];
  for (const records of appends) {
    await store.append(records);
    killed.push(asKilled(closed));
  }
  await store.close();
  return { killed, closed };
}

async function expectNamed(config: NamedStoreConfig, says: RegExp): Promise<number[]> {
  const { numbers, warnings } = await readCheckpoint(config);
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  return numbers;
}

/** Copies a page of one file over the same page of another. */
function copyPage(from: string, to: string, page: number): void {
  const bytes = readFileSync(to);
  bytes.set(readFileSync(from).subarray(page * PAGE, (page + 1) * PAGE), page * PAGE);
  writeFileSync(to, bytes);
}

for (const { name, extension, config } of FILE_STORES) {
  const only = (path: string) => filesOf(path, extension)[0]!;
  const appends = [0, 1, 2, 3].map((part) => numberedRange(part * 40, 40, 60));

  describe(`${name}: a file that lost records`, () => {
    it("is not one whose writer was killed, or ended without closing", async () => {
      const { killed } = await states(config, appends);
      for (const [index, path] of killed.entries()) {
        for (let time = 0; time < 2; time++) {
          expect(await readCheckpoint(config(path))).toEqual({
            numbers: range(0, 40 * (index + 1)),
            warnings: [],
          });
        }
      }
      const path = temporary();
      const module = fileURLToPath(new URL("../../stores/open_store.ts", import.meta.url));
      const code = `const { openStore } = await import(${JSON.stringify(module)});` +
        `const store = await openStore(${JSON.stringify(config(path))});` +
        "for (let i = 0; i < 50; i++) await store.append([new Uint8Array(50)]); process.exit(0);";
      const args = "Deno" in globalThis ? ["eval", code] : ["--input-type=module", "--eval", code];
      execFileSync(process.execPath, args, { stdio: "pipe" });
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toHaveLength(50);
      expect(warnings).toEqual([]);
    }, 30_000);

    it("is named when a page of an older state has come back", async () => {
      const { killed, closed } = await states(config, appends);
      const whole = readFileSync(only(closed));
      let damaged = 0;
      for (const older of killed) {
        for (let page = 0; page * PAGE < whole.length; page++) {
          writeFileSync(only(closed), whole);
          copyPage(only(older), only(closed), page);
          const { numbers, warnings } = await readCheckpoint(config(closed));
          if (numbers.length < 160) {
            damaged++;
            expect(warnings, `page ${page}`).toHaveLength(1);
          }
        }
      }
      expect(damaged).toBeGreaterThan(2);
    }, 30_000);

    it("is named when a page of another writer's file is in it", async () => {
      const [mine, other] = [temporary(), temporary()];
      await writeCheckpoint(config(mine), [numberedRange(0, 300, 60)]);
      await writeCheckpoint(config(other), [numberedRange(1000, 300, 60)]);
      const whole = readFileSync(only(mine));
      let damaged = 0;
      for (let page = 0; page * PAGE < whole.length; page++) {
        writeFileSync(only(mine), whole);
        copyPage(only(other), only(mine), page);
        const { numbers, warnings } = await readCheckpoint(config(mine));
        // What is in another writer's file is no record of this one.
        expect(numbers.filter((number) => number >= 1000)).toEqual([]);
        if (numbers.length < 300) {
          damaged++;
          expect(warnings, `page ${page}`).toHaveLength(1);
        }
      }
      expect(damaged).toBeGreaterThan(2);
    });

    it("is named when the first page of a large record is another writer's", async () => {
      const [mine, other] = [temporary(), temporary()];
      const large = (first: number) => {
        const record = new Uint8Array(20_000);
        record[0] = first;
        return record;
      };
      await writeCheckpoint(config(mine), [[large(1)]]);
      await writeCheckpoint(config(other), [[large(2)]]);
      const bytes = readFileSync(only(mine));
      const foreign = readFileSync(only(other));
      // The records differ in one byte, and so do these files, but for what they say of themselves.
      const at = bytes.findIndex((byte, index) =>
        index > PAGE && byte === 1 &&
        foreign[index] === 2 && bytes.subarray(index + 1, index + 3000).every((b) => b === 0)
      );
      copyPage(only(other), only(mine), Math.floor(at / PAGE));
      expect(await expectNamed(config(mine), /does not belong|missing or altered/)).toEqual([]);
    });

    it("is named to a reader that stops at the first of its records", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 2000, 60)]);
      const bytes = readFileSync(only(path));
      bytes.fill(0, 12 * PAGE, 13 * PAGE);
      writeFileSync(only(path), bytes);
      const warnings: unknown[] = [];
      const store = await openStore(config(path), (warning) => void warnings.push(warning));
      let passed = 0;
      for await (const { records } of store.read()) {
        passed += records.length;
        if (passed > 1500) break;
      }
      expect(warnings).toHaveLength(1);
      await store.close();
    });
  });
}

describe("lmdb: a file that lost records", () => {
  const config = (path: string) => ({ store: "lmdb", path }) as const;
  const only = (path: string) => filesOf(path, ".mdb")[0]!;

  it.for([0, 1])("is named when its header %i is unreadable", async (page) => {
    const path = temporary();
    await writeCheckpoint(config(path), [numberedRange(0, 10), numberedRange(10, 10)]);
    const bytes = readFileSync(only(path));
    bytes.fill(0, page * PAGE, (page + 1) * PAGE);
    writeFileSync(only(path), bytes);
    const numbers = await expectNamed(config(path), /headers contradict each other/);
    expect(numbers).toEqual(range(0, numbers.length));
  });

  it("is named when its lock speaks of a later commit", async () => {
    const { killed } = await states(config, [0, 1, 2].map((part) => numberedRange(part, 1)));
    const path = killed[2]!;
    copyPage(only(killed[0]!), only(path), 0);
    copyPage(only(killed[0]!), only(path), 1);
    await expectNamed(config(path), /last commits are missing/);
  });

  it("is named when it ends before its seal says", async () => {
    const { killed, closed } = await states(config, [0, 1].map((part) => numberedRange(part, 1)));
    const bytes = readFileSync(only(killed[0]!));
    // All but the seal behind the second header is of the older state.
    bytes.set(readFileSync(only(closed)).subarray(PAGE + 256, 2 * PAGE), PAGE + 256);
    writeFileSync(only(closed), bytes);
    expect(await expectNamed(config(closed), /last entries are missing/)).toEqual([0]);
  });
});

for (const driver of ["better-sqlite3", "node:sqlite"] as const) {
  const config = (path: string) => ({ store: "sqlite", path, driver }) as const;
  const only = (path: string) => filesOf(path, ".sqlite")[0]!;
  const appends = [0, 1, 2].map((part) => numberedRange(part * 10, 10));

  describe(`sqlite (${driver}): a file that lost records`, () => {
    it("is named, with each reading, when its log is cut at a commit", async () => {
      const { killed } = await states(config, appends);
      const log = `${only(killed[2]!)}-wal`;
      truncateSync(log, readFileSync(`${only(killed[1]!)}-wal`).length);
      for (let time = 0; time < 2; time++) {
        expect(await expectNamed(config(killed[2]!), /log is damaged/)).toEqual(range(0, 20));
      }
    });

    it("is named when its log is removed", async () => {
      const { killed } = await states(config, appends);
      rmSync(`${only(killed[2]!)}-wal`);
      for (let time = 0; time < 2; time++) {
        await expectNamed(config(killed[2]!), /log is missing/);
      }
    });

    it("is named when a frame of its log is altered, with and without an index", async () => {
      const { killed } = await states(config, appends);
      const log = `${only(killed[2]!)}-wal`;
      const bytes = readFileSync(log);
      bytes[32 + 24 + 100]! ^= 1;
      writeFileSync(log, bytes);
      expect(await expectNamed(config(killed[2]!), /log is damaged/)).toEqual([]);
      rmSync(`${only(killed[2]!)}-shm`);
      expect(await expectNamed(config(killed[2]!), /log is damaged/)).toEqual([]);
    });

    it("is named when its log's header is altered", async () => {
      const { killed } = await states(config, appends);
      const log = `${only(killed[2]!)}-wal`;
      const bytes = readFileSync(log);
      bytes[17]! ^= 1;
      writeFileSync(log, bytes);
      await expectNamed(config(killed[2]!), /log's header is damaged/);
    });

    it("is not one whose last commit was interrupted", async () => {
      const { killed } = await states(config, appends);
      const log = `${only(killed[2]!)}-wal`;
      const whole = readFileSync(log);
      const before = readFileSync(`${only(killed[1]!)}-wal`).length;
      for (const suffix of ["-shm"]) cpSync(only(killed[1]!) + suffix, only(killed[2]!) + suffix);
      for (const length of [before, before + 10, before + 24, before + 1000, whole.length - 1]) {
        writeFileSync(log, whole.subarray(0, length));
        const { numbers, warnings } = await readCheckpoint(config(killed[2]!));
        expect({ numbers, warnings }).toEqual({ numbers: range(0, 20), warnings: [] });
      }
    });

    it("passes no sound row over where a page lies in another's place", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 6_000, 60)]);
      const whole = readFileSync(only(path));
      // The leaves are the pages after the tables' own; each has two blocks of 31 records or so.
      for (const [to, from] of [[4, 14], [10, 90], [40, 60]] as const) {
        const broken = Buffer.from(whole);
        broken.set(whole.subarray(from * PAGE, (from + 1) * PAGE), to * PAGE);
        writeFileSync(only(path), broken);
        const numbers = await expectNamed(config(path), /missing or altered/);
        expect(new Set(numbers).size).toBeGreaterThan(5_900);
      }
    });

    it("does not end the reading where a row's number is altered beyond all others", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), range(0, 30).map((n) => numberedRange(n * 10, 10)));
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(only(path));
      database.exec("update record set seq = 1099511627776 where seq = 30");
      database.close();
      expect(await expectNamed(config(path), /missing or altered/)).toEqual(range(0, 290));
    });
  });
}
