import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { openStore, parseStoreConfig } from "../../stores/open_store.ts";
import { numbered, readNumbers } from "../conformance/records.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();

describe("parseStoreConfig()", () => {
  it.for([
    ["./ckpt", { store: "lmdb", path: "./ckpt" }],
    ["ckpt", { store: "lmdb", path: "ckpt" }],
    ["lmdb:./ckpt", { store: "lmdb", path: "./ckpt" }],
    ["lmdb:/var/a:b", { store: "lmdb", path: "/var/a:b" }],
    ["sqlite:ckpt", { store: "sqlite", path: "ckpt" }],
    ["sqlite:C:\\data\\ckpt", { store: "sqlite", path: "C:\\data\\ckpt" }],
    ["C:\\data\\ckpt", { store: "lmdb", path: "C:\\data\\ckpt" }],
    ["c:/data/ckpt", { store: "lmdb", path: "c:/data/ckpt" }],
    ["./redis:x", { store: "lmdb", path: "./redis:x" }],
    ["/redis:x", { store: "lmdb", path: "/redis:x" }],
    ["node:sqlite:./ckpt", { store: "sqlite", path: "./ckpt", driver: "node:sqlite" }],
    ["better-sqlite3:ckpt", { store: "sqlite", path: "ckpt", driver: "better-sqlite3" }],
    ["./sqlite", { store: "lmdb", path: "./sqlite" }],
    ["memory:", { store: "memory", path: "" }],
    ["memory:name", { store: "memory", path: "name" }],
  ])("understands %s", ([text, expected]) => {
    expect(parseStoreConfig(text)).toEqual(expected);
  });

  it.for(["redis://host", "file:///ckpt", "lmbd:./ckpt", "s3:bucket"])(
    "refuses the unknown store of %s",
    (text) => {
      expect(() => parseStoreConfig(text)).toThrow(
        expect.objectContaining({
          code: "STORE_UNKNOWN",
          message: expect.stringContaining("lmdb, sqlite, memory"),
        }),
      );
    },
  );

  it.for(["lmdb", "sqlite", "memory", "node:sqlite"])("says that %s is no place", (name) => {
    expect(() => parseStoreConfig(name)).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: expect.stringContaining(`write "${name}:`),
      }),
    );
  });

  it("says what a store of one's own lacks", () => {
    expect(() => parseStoreConfig({ append() {}, read() {} })).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: expect.stringContaining("no manifest and no close"),
      }),
    );
  });

  it.for([
    "",
    "  ",
    "node:sqlite:",
    new URL("file:///ckpt"),
    "lmdb:",
    "sqlite: ",
    "a\0b",
    null,
    undefined,
    7,
    true,
    {},
    { path: "./ckpt" },
    { store: "lmdb" },
    { store: "lmdb", path: "" },
    { store: "sqlite", path: 7 },
    { store: "sqlite", path: "./ckpt", driver: "sqlite3" },
    { store: "lmdb", path: "./ckpt", driver: "better-sqlite3" },
    { store: "memory", path: 7 },
  ])("refuses %j", (config) => {
    expect(() => parseStoreConfig(config)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });

  it("refuses the unknown store of an object", () => {
    expect(() => parseStoreConfig({ store: "redis", path: "x" })).toThrow(
      expect.objectContaining({ code: "STORE_UNKNOWN" }),
    );
  });

  it("returns a frozen copy", () => {
    const given = { store: "sqlite", path: "./ckpt", driver: "node:sqlite" };
    const parsed = parseStoreConfig(given);
    expect(parsed).toEqual(given);
    expect(parsed).not.toBe(given);
    expect(Object.isFrozen(parsed)).toBe(true);
  });
});

describe("openStore()", () => {
  it("is imported without a driver and without a permission", () => {
    const script = join(temporary(), "import.mjs");
    const module = new URL("../../stores/open_store.ts", import.meta.url).href;
    writeFileSync(
      script,
      `import { openStore } from ${JSON.stringify(module)}; console.log(typeof openStore);`,
    );
    const args = "Deno" in globalThis
      ? ["run", "--no-prompt", script]
      // Native addons, which all drivers are, cannot be loaded under these permissions.
      : ["--permission", "--allow-fs-read=*", script];
    expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("function\n");
  });

  it("returns a store object as it is", async () => {
    const store = await openStore("memory:");
    expect(await openStore(store)).toBe(store);
  });

  it("gives each plain memory: a checkpoint of its own", async () => {
    const [first, second] = [await openStore("memory:"), await openStore("memory:")];
    await first.append([numbered(1)]);
    expect(await readNumbers(second)).toEqual([]);
  });

  it("finds a named memory checkpoint again", async () => {
    const first = await openStore("memory:found again");
    await first.append([numbered(1)]);
    await first.close();
    expect(await readNumbers(await openStore({ store: "memory", path: "found again" }))).toEqual([
      1,
    ]);
  });

  it("calls the checkpoint what the user calls it", async () => {
    const path = temporary();
    const store = await openStore(`sqlite:${path}`);
    expect(store.location).toBe(path);
    await store.close();
    expect((await openStore("memory:x")).location).toBe("memory:x");
  });
});
