import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { CheckpointDirectory, newWriterName } from "../../stores/directory.ts";
import { openStore } from "../../stores/open_store.ts";
import { numbered, range } from "../conformance/records.ts";
import { FILE_STORES, filesOf, readCheckpoint, writeCheckpoint } from "./file_stores.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();
const isRoot = process.getuid?.() === 0;

describe("newWriterName()", () => {
  it("is a file name, and another one each time", () => {
    const names = range(0, 100).map(newWriterName);
    expect(new Set(names).size).toBe(100);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9.-]*-\d+-[0-9a-f]{16}$/);
  });
});

describe("CheckpointDirectory.open()", () => {
  it("creates the directory and those above it", async () => {
    const path = join(temporary(), "a", "b");
    await CheckpointDirectory.open(path, "lmdb");
    expect(readdirSync(path)).toEqual([".tidemark"]);
  });

  it("refuses a path that is a file", async () => {
    const path = join(temporary(), "file");
    writeFileSync(path, "");
    for (const at of [path, join(path, "below")]) {
      await expect(CheckpointDirectory.open(at, "lmdb")).rejects.toMatchObject({
        code: "CHECKPOINT_OPEN",
        subject: at,
        message: expect.stringMatching(/is a file/),
      });
    }
  });

  it("says of a link in the way what is wrong with it", async () => {
    const path = temporary();
    symlinkSync(join(path, "loop"), join(path, "loop"));
    symlinkSync(join(path, "gone"), join(path, "dangling"));
    const code = "CHECKPOINT_OPEN";
    await expect(CheckpointDirectory.open(join(path, "loop"), "lmdb"))
      .rejects.toMatchObject({ code, message: expect.stringContaining("symbolic links") });
    await expect(CheckpointDirectory.open(join(path, "dangling"), "lmdb"))
      .rejects.toMatchObject({ code, message: expect.stringContaining("does not exist") });
  });

  it.skipIf(process.platform !== "linux")(
    "refuses a path where no directory can be created (/proc is Linux's)",
    async () => {
      await expect(CheckpointDirectory.open("/proc/tidemark/a", "lmdb")).rejects.toMatchObject({
        code: "CHECKPOINT_OPEN",
        subject: "/proc/tidemark/a",
      });
    },
  );

  it("refuses a directory whose records directory is a file", async () => {
    const path = temporary();
    writeFileSync(join(path, ".tidemark"), "");
    await expect(CheckpointDirectory.open(path, "lmdb")).rejects.toMatchObject({
      code: "CHECKPOINT_OPEN",
    });
  });

  it.skipIf(isRoot)("refuses a directory that cannot be written (not as root)", async () => {
    const path = temporary();
    chmodSync(path, 0o555);
    await expect(CheckpointDirectory.open(join(path, "ckpt"), "lmdb")).rejects.toMatchObject({
      code: "CHECKPOINT_OPEN",
      message: expect.stringMatching(/no permission/),
    });
    chmodSync(path, 0o755);
  });

  it("shows a path from elsewhere without its control characters", async () => {
    const path = join(temporary(), "a\u001b[31m\nb");
    writeFileSync(path, "");
    const error: Error = await CheckpointDirectory.open(path, "lmdb").catch((thrown) => thrown);
    expect(error.message).toContain("a\\u{1b}[31m\\u{a}b");
  });
});

describe("manifest()", () => {
  it("leaves nothing beside it", async () => {
    const path = temporary();
    const directories = await Promise.all(
      range(0, 20).map(() => CheckpointDirectory.open(path, "lmdb")),
    );
    const standing = await Promise.all(
      directories.map((item, index) => item.manifest(`m${index}`)),
    );
    expect(new Set(standing).size).toBe(1);
    expect(readdirSync(join(path, ".tidemark"))).toEqual(["manifest.json"]);
    expect(readFileSync(join(path, ".tidemark", "manifest.json"), "utf8")).toBe(standing[0]);
  });

  it("returns what is there, be it what it may", async () => {
    const path = temporary();
    const directory = await CheckpointDirectory.open(path, "lmdb");
    writeFileSync(join(path, ".tidemark", "manifest.json"), "no JSON at all");
    expect(await directory.manifest("{}")).toBe("no JSON at all");
  });
});

for (const { name, extension, config } of FILE_STORES) {
  describe(`a checkpoint directory of ${name}`, () => {
    it("has no writer's file before the first append", async () => {
      const path = join(temporary(), "ckpt");
      const store = await openStore(config(path));
      await store.manifest("{}");
      await store.append([]);
      for await (const _ of store.read()) expect.unreachable();
      expect(readdirSync(join(path, ".tidemark"))).toEqual(["manifest.json"]);
      await store.append([numbered(1)]);
      expect(filesOf(path, extension)).toEqual([
        join(path, ".tidemark", `${store.writer}${extension}`),
      ]);
      await store.close();
    });

    it("loses what a killed writer left unfinished, once it is a day old", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [[numbered(1)]]);
      const records = join(path, ".tidemark");
      const kept = readdirSync(records);
      const old = [".0123456789abcdef.tmp", ".0123456789abcdef.tmp-lock"];
      const young = [".fedcba9876543210.tmp", ".fedcba9876543210.tmp-wal"];
      const others = [".0123456789abcdef", "notes.tmp", ".nfs0123456789abcdef"];
      for (const name of [...old, ...young, ...others]) writeFileSync(join(records, name), "");
      const yesterday = Date.now() / 1000 - 25 * 60 * 60;
      for (const name of [...old, ...others]) utimesSync(join(records, name), yesterday, yesterday);
      const store = await openStore(config(path));
      await store.append([numbered(2)]);
      await store.close();
      expect(readdirSync(records).filter((name) => !name.startsWith(store.writer)).sort()).toEqual(
        [...kept, ...young, ...others].sort(),
      );
    });

    it("is refused by the other store, which says what to pass", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [[numbered(1)]]);
      const [mine, other] = extension === ".mdb" ? ["lmdb", "sqlite"] : ["sqlite", "lmdb"];
      await expect(openStore(`${other}:${path}`)).rejects.toMatchObject({
        code: "CHECKPOINT_MISMATCH",
        message: expect.stringContaining(`"${mine}:${path}"`),
      });
    });

    it("is refused at the first append when the other store came in between", async () => {
      const path = temporary();
      const late = await openStore(`${extension === ".mdb" ? "sqlite" : "lmdb"}:${path}`);
      await writeCheckpoint(config(path), [[numbered(1)]]);
      await expect(late.append([numbered(2)])).rejects.toMatchObject({
        code: "CHECKPOINT_MISMATCH",
      });
      await late.close();
    });

    it("holds 1,000 writers", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [[numbered(0)]]);
      const [file] = filesOf(path, extension);
      const bytes = readFileSync(file!);
      for (let copy = 1; copy < 1000; copy++) {
        writeFileSync(join(path, ".tidemark", `copy-${copy}${extension}`), bytes);
      }
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toHaveLength(1000);
      expect(warnings).toEqual([]);
    }, 60_000);

    it("may vanish while it is open", async () => {
      const path = temporary();
      const store = await openStore(config(path));
      const { rmSync } = await import("node:fs");
      rmSync(path, { recursive: true });
      await expect(store.append([numbered(1)])).rejects.toMatchObject({
        code: expect.stringMatching(/^CHECKPOINT_/),
      });
      await expect(store.read()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: "CHECKPOINT_READ",
      });
      await store.close();
      expect(existsSync(path)).toBe(false);
    });
  });
}
