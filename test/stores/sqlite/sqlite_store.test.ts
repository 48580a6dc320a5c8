import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { loadBinding, type SqliteBinding } from "../../../stores/sqlite/binding.ts";
import { openStore, SQLITE_DRIVERS, type SqliteDriverName } from "../../../stores/open_store.ts";
import { SalvageCopy } from "../../../stores/sqlite/salvage_copy.ts";
import { numberedRange, range, readNumbers } from "../../conformance/records.ts";
import { filesOf, readCheckpoint, writeCheckpoint } from "../file_stores.ts";
import { temporaryDirectories } from "../temporary_directory.ts";

const temporary = temporaryDirectories();

function run(binding: SqliteBinding, path: string, ...statements: string[]): unknown[] {
  const database = binding.open(path, { readOnly: false, timeout: 0 });
  const results = statements.map((sql) => {
    const statement = database.prepare(sql);
    return statement.reader ? statement.all([]) : statement.run([]);
  });
  database.close();
  return results;
}

describe("loadBinding()", () => {
  const absent = () => Promise.reject(new Error("no prebuilt binary"));

  it("prefers better-sqlite3", async () => {
    expect((await loadBinding()).name).toBe("better-sqlite3");
  });

  it("takes node:sqlite where better-sqlite3 cannot be loaded", async () => {
    const node = await loadBinding("node:sqlite");
    expect(
      await loadBinding(undefined, { "better-sqlite3": absent, "node:sqlite": async () => node }),
    ).toBe(node);
  });

  it("names the package when there is neither", async () => {
    const loaders = { "better-sqlite3": absent, "node:sqlite": absent };
    await expect(loadBinding(undefined, loaders)).rejects.toMatchObject({
      code: "DRIVER_MISSING",
      message: expect.stringContaining("npm install better-sqlite3"),
    });
  });

  it("names the permissions when it is Deno that refuses", async () => {
    const refused = () =>
      Promise.reject(Object.assign(new Error("no ffi"), { name: "NotCapable" }));
    const load = (driver: SqliteDriverName) =>
      loadBinding(driver, { "better-sqlite3": refused, "node:sqlite": refused });
    await expect(load("better-sqlite3")).rejects.toMatchObject({
      code: "DRIVER_MISSING",
      message: expect.stringMatching(/run Deno with .*--allow-sys --allow-ffi \(no ffi\)$/),
    });
    await expect(load("node:sqlite")).rejects.toMatchObject({
      message: expect.stringMatching(/run Deno with .*--allow-sys \(no ffi\)$/),
    });
  });

  it("does not take another driver than the one that was asked for", async () => {
    const node = await loadBinding("node:sqlite");
    const loaders = { "better-sqlite3": absent, "node:sqlite": async () => node };
    await expect(loadBinding("better-sqlite3", loaders)).rejects.toMatchObject({
      code: "DRIVER_MISSING",
    });
  });

  it("loads node:sqlite without a word on the terminal", () => {
    const code = `const { loadBinding } = await import(${
      JSON.stringify(
        new URL("../../../stores/sqlite/binding.ts", import.meta.url).href,
      )
    }); await loadBinding("node:sqlite"); console.log("done");`;
    const args = "Deno" in globalThis ? ["eval", code] : ["--input-type=module", "--eval", code];
    const stdio: ("pipe" | "inherit")[] = ["pipe", "pipe", "pipe"];
    const output = execFileSync(process.execPath, args, { encoding: "utf8", stdio });
    expect(output).toBe("done\n");
  });
});

for (const driver of SQLITE_DRIVERS) {
  const config = (path: string) => ({ store: "sqlite", path, driver }) as const;

  describe(`sqlite (${driver})`, () => {
    it("skips a database of another program", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 3)]);
      const [file] = filesOf(path, ".sqlite");
      copyFileSync(file!, join(path, ".tidemark", "foreign.sqlite"));
      const binding = await loadBinding(driver);
      run(binding, join(path, ".tidemark", "foreign.sqlite"), "pragma application_id = 12345");
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual(range(0, 3));
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/not written by Tidemark/),
      ]);
    });

    it("skips a file of a newer format", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 3)]);
      run(await loadBinding(driver), filesOf(path, ".sqlite")[0]!, "pragma user_version = 2");
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual([]);
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/format 2, newer/),
      ]);
    });

    it("skips a file whose table is another one", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 3)]);
      run(
        await loadBinding(driver),
        filesOf(path, ".sqlite")[0]!,
        "alter table record rename to other",
      );
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual([]);
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/no such table/),
      ]);
    });

    it("reads past values that are no records", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), range(0, 5).map((n) => numberedRange(n, 1)));
      const [file] = filesOf(path, ".sqlite");
      run(
        await loadBinding(driver),
        file!,
        "update record set data = 'text' where seq = 2",
        "delete from record where seq = 4",
      );
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual([0, 2, 4]);
      expect(warnings).toHaveLength(1);
    });

    it("leaves one file without a log, complete in itself", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 3)]);
      const [file] = filesOf(path, ".sqlite");
      expect(run(await loadBinding(driver), file!, "pragma journal_mode", "pragma integrity_check"))
        .toEqual([
          [{ journal_mode: "delete" }],
          [{ integrity_check: "ok" }],
        ]);
    });

    it("reads the log of a file that is still open", async () => {
      const path = temporary();
      const writer = await openStore(config(path));
      await writer.append(numberedRange(0, 100));
      expect(await readCheckpoint(config(path))).toEqual({ numbers: range(0, 100), warnings: [] });
      await writer.append(numberedRange(100, 100));
      expect((await readCheckpoint(config(path))).numbers).toEqual(range(0, 200));
      await writer.close();
    });

    it("can be closed while it is read, and goes on being read", async () => {
      const path = temporary();
      const writer = await openStore(config(path));
      await writer.append(numberedRange(0, 100_000));
      const reader = await openStore(config(path));
      const iterator = reader.read()[Symbol.asyncIterator]();
      await iterator.next();
      await writer.close();
      let count = 0;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        count += next.value.records.length;
      }
      expect(count).toBeGreaterThan(80_000);
      expect(await readNumbers(reader)).toEqual([]);
      await reader.close();
      expect(await readCheckpoint(config(path))).toMatchObject({ warnings: [] });
    });
  });
}

describe("SalvageCopy", () => {
  it("holds the database and its log", async () => {
    const path = temporary();
    const writer = await openStore({ store: "sqlite", path });
    await writer.append(numberedRange(0, 100));
    const [file] = filesOf(path, ".sqlite");
    const copied = temporary();
    mkdirSync(join(copied, ".tidemark"));
    {
      await using copy = await SalvageCopy.of(file!, 0);
      expect(readFileSync(copy.path).equals(readFileSync(file!))).toBe(true);
      copyFileSync(copy.path, join(copied, ".tidemark", "copy.sqlite"));
      copyFileSync(`${copy.path}-wal`, join(copied, ".tidemark", "copy.sqlite-wal"));
    }
    expect((await readCheckpoint({ store: "sqlite", path: copied })).numbers).toEqual(
      range(0, 100),
    );
    await writer.close();
  });
});
