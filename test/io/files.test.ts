import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { type FileGroup, files, type FilesOptions } from "../../io/files.ts";
import { emitted, listener, runtime, scratch } from "./scratch.ts";

async function names(patterns: string | string[], options: FilesOptions): Promise<string[]> {
  return (await emitted<FileGroup>(files(patterns, options))).flatMap((group) => [...group.names]);
}

async function ids(
  patterns: string | string[],
  options: FilesOptions,
): Promise<Map<string, string>> {
  const groups = await emitted<FileGroup>(files(patterns, options));
  return new Map(groups.map((group) => [group.names.join("|"), group.id]));
}

describe("files() finds", () => {
  test("files below directories, sorted by code unit, each once", async () => {
    const cwd = await scratch({ "b.txt": "", "a/z.txt": "", "a/B.txt": "", "a.md": "" });
    expect(await names(["**/*.txt", "a/*.txt", "b.txt"], { cwd })).toEqual([
      "a/B.txt",
      "a/z.txt",
      "b.txt",
    ]);
  });

  test("everything below a directory that is named", async () => {
    const cwd = await scratch({ "in/1": "", "in/deep/2": "", "out": "" });
    expect(await names("in", { cwd })).toEqual(["in/1", "in/deep/2"]);
    expect(await names("in/", { cwd })).toEqual(["in/1", "in/deep/2"]);
    expect(await names(join(cwd, "in"), { cwd })).toEqual(["in/1", "in/deep/2"]);
  });

  const odd = [
    "with space.txt",
    "-dash.txt",
    "--flag.txt",
    "brack[1].txt",
    "brace{a,b}.txt",
    "(paren).txt",
    "!bang.txt",
    "star*.txt",
    "what?.txt",
    "naïve-日本-😀.txt",
    "line\nend.txt",
    "ret\rurn.txt",
    "sep\u2028.txt",
    "quote\"'.txt",
    "back\\slash.txt",
    "#1.txt",
    "__proto__.txt",
    "pipe|.txt",
  ];

  test.skipIf(process.platform === "win32").each(odd)(
    "a file called %j, by glob and by its name",
    async (name) => {
      const cwd = await scratch({ [name]: "x", "other.md": "" });
      expect(await names("*.txt", { cwd })).toEqual([name]);
      expect(await names("**/*.txt", { cwd })).toEqual([name]);
      expect(await names(name, { cwd })).toEqual([name]);
      expect(await names(`./${name}`, { cwd })).toEqual([name]);
      expect(await names(`${name.replace(/[^\p{L}\p{N}\s.]/gu, "\\$&").slice(0, -1)}*`, { cwd }))
        .toEqual([name]);
      const [group] = await emitted<FileGroup>(files(join(cwd, name), { cwd }));
      expect(group!.paths).toEqual([join(cwd, name)]);
    },
  );

  test.skipIf(process.platform === "win32").each(odd)(
    "what is in a directory called %j",
    async (name) => {
      const cwd = await scratch({ [`${name}/deep/a.txt`]: "x", "b.md": "" });
      const found = [`${name}/deep/a.txt`];
      expect(await names("**/*.txt", { cwd })).toEqual(found);
      expect(await names(name, { cwd })).toEqual(found);
      expect(await names(`${name}/*/a.*`, { cwd })).toEqual(found);
      expect(await names("**/*.txt", { cwd: join(cwd, name) })).toEqual(["deep/a.txt"]);
    },
  );

  test("an existing a[1].txt, not a1.txt", async () => {
    const cwd = await scratch({ "a[1].txt": "", "a1.txt": "" });
    expect(await names("a[1].txt", { cwd })).toEqual(["a[1].txt"]);
    expect(await names("a[2-9].txt", { cwd, allowEmpty: true })).toEqual([]);
    await rm(join(cwd, "a[1].txt"));
    expect(await names("a[1].txt", { cwd })).toEqual(["a1.txt"]);
  });

  test("files outside the directory, by names that start with ..", async () => {
    const root = await scratch({ "data/x.txt": "", "work/y.txt": "" });
    const cwd = join(root, "work");
    expect(await names("../data/*.txt", { cwd })).toEqual(["../data/x.txt"]);
    expect(await names(`${root}/data/*.txt`, { cwd })).toEqual(["../data/x.txt"]);
    expect(await names(`${root}/work/*.txt`, { cwd })).toEqual(["y.txt"]);
  });

  test("braces that span directories", async () => {
    const cwd = await scratch({ "a/x.txt": "", "b/y.txt": "", "c/x.txt": "" });
    expect(await names("{a/x,b/y}.txt", { cwd })).toEqual(["a/x.txt", "b/y.txt"]);
  });

  test("nothing that is ignored, by option or by a leading !", async () => {
    const cwd = await scratch({ "a/x.txt": "", "a/x.bak.txt": "", "b/y.txt": "" });
    expect(await names(["**/*.txt", "!**/*.bak.txt"], { cwd })).toEqual(["a/x.txt", "b/y.txt"]);
    expect(await names("**/*.txt", { cwd, ignore: ["a/**"] })).toEqual(["b/y.txt"]);
    expect(await names("../**/*.txt", { cwd: join(cwd, "b"), ignore: "**/*.bak.txt" }))
      .toEqual(["../a/x.txt", "y.txt"]);
  });

  test("dot files only when asked to", async () => {
    const cwd = await scratch({ ".hidden/a.txt": "", "b.txt": "" });
    expect(await names("**/*.txt", { cwd })).toEqual(["b.txt"]);
    expect(await names("**/*.txt", { cwd, dot: true })).toEqual([".hidden/a.txt", "b.txt"]);
  });

  test.skipIf(process.platform === "win32")(
    "files behind symbolic links, and warns of links to nowhere",
    async () => {
      const cwd = await scratch({ "blobs/1": "x" });
      await symlink("blobs/1", join(cwd, "a.txt"));
      await symlink("gone", join(cwd, "b.txt"));
      const context = listener();
      const groups = await emitted<FileGroup>(files("*.txt", { cwd }), context);
      expect(groups.flatMap((group) => group.names)).toEqual(["a.txt"]);
      expect(context.warnings).toEqual([expect.stringContaining("b.txt")]);
      expect(await names("**", { cwd, followSymbolicLinks: false })).toEqual(["blobs/1"]);
    },
  );

  test("the files below the working directory of the moment when it runs", async () => {
    const stage = files("package.json");
    expect((await emitted<FileGroup>(stage))[0]!.paths).toEqual([
      join(process.cwd(), "package.json"),
    ]);
  });
});

describe("files() refuses", () => {
  test("patterns that match nothing, and names the first and the directory", async () => {
    const cwd = await scratch({ "a.txt": "" });
    await expect(emitted(files("*.md", { cwd }))).rejects.toMatchObject({
      code: "INPUT_EMPTY",
      message: expect.stringMatching(/\*\.md.*tidemark-io-/),
    });
    await expect(emitted(files(["a.txt", "b.txt"], { cwd }))).rejects.toMatchObject({
      code: "INPUT_EMPTY",
      subject: "b.txt",
    });
    await expect(emitted(files("x/*.txt", { cwd: join(cwd, "none") }))).rejects.toMatchObject({
      code: "INPUT_EMPTY",
    });
    expect(await emitted(files("*.md", { cwd, allowEmpty: true }))).toEqual([]);
  });

  test("nothing when one of several globs matches, but warns of the other", async () => {
    const cwd = await scratch({ "a.txt": "" });
    const context = listener();
    expect(await emitted(files(["*.txt", "*.md"], { cwd }), context)).toHaveLength(1);
    expect(context.warnings).toEqual([expect.stringContaining("*.md")]);
  });

  test("a directory that cannot be read", async (context) => {
    if (process.platform === "win32") context.skip("permissions work in another way");
    const cwd = await scratch({ "shut/a.txt": "", "b.txt": "" });
    await chmod(cwd, 0o755);
    await chmod(join(cwd, "shut"), 0o000);
    const script = `
      import { files } from ${JSON.stringify(new URL("../../io/files.ts", import.meta.url).href)};
      const context = { warn() {}, expectSources() {}, signal: new AbortController().signal };
      try {
        for await (const group of files("**/*.txt", { cwd: ${
      JSON.stringify(cwd)
    } }).process({}, context)) void group;
      } catch (error) { console.log(error.code, error.subject); }`;
    // Root reads everything, so the child becomes somebody else.
    const root = process.getuid?.() === 0;
    await writeFile(join(cwd, "list.mjs"), script);
    await chmod(join(cwd, "list.mjs"), 0o644);
    const [command, ...words] = runtime();
    const child = spawnSync(command!, [...words, join(cwd, "list.mjs")], {
      encoding: "utf8",
      ...(root ? { uid: 65_534, gid: 65_534 } : {}),
      env: { ...process.env, DENO_DIR: join(cwd, "deno") },
    });
    await chmod(join(cwd, "shut"), 0o755);
    if (root && /EACCES|Permission|permission/.test(child.stderr)) {
      context.skip("the repository is closed to other users");
    }
    expect(child.stdout.trim()).toBe(`INPUT_UNREADABLE ${join(cwd, "shut")}`);
  });

  test.each<[string, () => unknown]>([
    ["no patterns", () => files([])],
    ["an empty pattern", () => files("")],
    ["a pattern with NUL", () => files("a\0b")],
    ["groupSize 0", () => files("*", { groupSize: 0 })],
    ["groupSize and groupBy", () => files("*", { groupSize: 2, groupBy: (name) => name })],
    ["names for groups by size", () => files("*", { groupSize: 2, id: "name" })],
    ["an unknown id", () => files("*", { id: "uuid" as "hash" })],
    ["an unknown version", () => files("*", { version: "mtime" as "stat" })],
  ])("%s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

describe("files() ids", () => {
  test("files() keeps the ids of the other sources when a file is added", async () => {
    const cwd = await scratch({ "b.txt": "1", "d.txt": "2" });
    const before = await ids("*.txt", { cwd });
    await writeFile(join(cwd, "a.txt"), "");
    await writeFile(join(cwd, "c.txt"), "");
    const after = await ids("*.txt", { cwd });
    expect(after.size).toBe(4);
    for (const [name, id] of before) expect(after.get(name)).toBe(id);
  });

  test('files() gives ["a|b"] and ["a", "b"] different ids', async () => {
    const one = await ids("*", { cwd: await scratch({ "a|b": "" }) });
    const two = await ids("*", { cwd: await scratch({ a: "", b: "" }), groupSize: 2 });
    expect([...one.keys()]).toEqual([...two.keys()]);
    expect(one.get("a|b")).not.toBe(two.get("a|b"));
  });

  test("files() gives the same id wherever the corpus lies and however it was matched", async () => {
    const here = await ids("x/*.txt", { cwd: await scratch({ "x/a.txt": "1" }) });
    const there = await ids(["x/a.txt"], { cwd: await scratch({ "x/a.txt": "22" }) });
    expect([...here]).toEqual([...there]);
    expect(here.get("x/a.txt")).toMatch(/^[0-9a-f]{32}$/);
  });

  test('files() with id "name" gives the relative name, or the key of a group', async () => {
    const cwd = await scratch({ "x/a.txt": "", "x/b.txt": "", "y/c.txt": "" });
    expect([...(await ids("**/*.txt", { cwd, id: "name" })).values()]).toEqual([
      "x/a.txt",
      "x/b.txt",
      "y/c.txt",
    ]);
    const keyed = await ids("**/*.txt", {
      cwd,
      id: "name",
      groupBy: (name) => name.split("/")[0]!,
    });
    expect([...keyed]).toEqual([["x/a.txt|x/b.txt", "x"], ["y/c.txt", "y"]]);
  });

  test("files() groups by size in the order of the listing and tells how many sources there are", async () => {
    const cwd = await scratch(Object.fromEntries(["1", "2", "3", "4", "5"].map((n) => [n, n])));
    const context = listener();
    const groups = await emitted<FileGroup>(files("*", { cwd, groupSize: 2 }), context);
    expect(groups.map((group) => group.names)).toEqual([["1", "2"], ["3", "4"], ["5"]]);
    expect(new Set(groups.map((group) => group.id)).size).toBe(3);
    expect(context.expected).toEqual([3]);
  });

  test("files() with groupBy keeps the other groups when a file is added", async () => {
    const cwd = await scratch({ "1-a": "", "1-b": "", "2-a": "" });
    const groupBy = (name: string) => name[0]!;
    const before = await ids("*", { cwd, groupBy });
    await writeFile(join(cwd, "1-c"), "");
    const after = await ids("*", { cwd, groupBy });
    expect(after.get("2-a")).toBe(before.get("2-a"));
  });
});

test("files() labels a source with the name of its file, or of the first and how many more", async () => {
  const cwd = await scratch({ "a/1.txt": "", "a/2.txt": "", "a/3.txt": "" });
  const labels = async (options: FilesOptions) => {
    const stage = files("**/*.txt", { ...options, cwd });
    return (await emitted<FileGroup>(stage)).map((group) => stage.sourceLabel!(group));
  };
  expect(await labels({})).toEqual(["a/1.txt", "a/2.txt", "a/3.txt"]);
  expect(await labels({ groupSize: 2 })).toEqual(["a/1.txt and 1 more", "a/3.txt"]);
  expect(await labels({ groupBy: () => "k" })).toEqual(["a/1.txt and 2 more"]);
});

describe("files() versions", () => {
  async function version(options: FilesOptions): Promise<string | undefined> {
    const stage = files("*", options);
    const [group] = await emitted<FileGroup>(stage);
    expect(stage.sourceId!(group!)).toBe(group!.id);
    expect(stage.sourceVersion!(group!)).toBe(group!.version);
    return group!.version;
  }

  test("files() changes the version with size and time, and not without", async () => {
    const cwd = await scratch({ a: "1" });
    const at = new Date(1_700_000_000_123);
    await utimes(join(cwd, "a"), at, at);
    const first = await version({ cwd });
    expect(await version({ cwd })).toBe(first);
    expect(first).toBe("1-1700000000123");
    await writeFile(join(cwd, "a"), "22");
    await utimes(join(cwd, "a"), at, at);
    expect(await version({ cwd })).toBe("2-1700000000123");
    await utimes(join(cwd, "a"), at, new Date(1_700_000_000_124));
    expect(await version({ cwd })).toBe("2-1700000000124");
  });

  test("files() changes a group's version with each of its files, and with its members when it has a key", async () => {
    const cwd = await scratch({ a: "1", b: "1" });
    const group: FilesOptions = { cwd, groupSize: 2 };
    const first = await version(group);
    await writeFile(join(cwd, "b"), "22");
    expect(await version(group)).not.toBe(first);
    const keyed: FilesOptions = { cwd, groupBy: () => "k", id: "name", version: "none" };
    const before = await version(keyed);
    await writeFile(join(cwd, "c"), "");
    expect(await version(keyed)).not.toBe(before);
  });

  test("files() takes versions from a function, or none", async () => {
    const cwd = await scratch({ a: "1" });
    expect(await version({ cwd, version: (path) => Promise.resolve(`v:${path}`) })).toBe(
      `v:${join(cwd, "a")}`,
    );
    expect(await version({ cwd, version: "none" })).toBeUndefined();
  });

  test("files() leaves a file that went away to its reader", async () => {
    const cwd = await scratch({ a: "", b: "" });
    const context = listener();
    // Told after the listing and before the files are looked at.
    context.expectSources = () => rmSync(join(cwd, "b"));
    const groups = await emitted<FileGroup>(files("*", { cwd }), context);
    expect(groups.map((group) => [group.names[0], group.version === "missing"])).toEqual([[
      "a",
      false,
    ], ["b", true]]);
  });
});

test("files() refuses a directory without files", async () => {
  const cwd = await scratch();
  await mkdir(join(cwd, "empty"));
  await expect(emitted(files("empty", { cwd }))).rejects.toMatchObject({ code: "INPUT_EMPTY" });
});
