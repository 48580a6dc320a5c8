import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, expect, onTestFinished, test } from "vitest";
import { FailedTask } from "../../core/task.ts";
import { jsonLinesSink, type JsonLinesSinkOptions } from "../../io/json_lines_sink.ts";
import { outputName } from "../../io/output_name.ts";
import { TemporaryFile } from "../../io/temporary_file.ts";
import { listener, runtime, scratch, taskOf } from "./scratch.ts";

const context = listener();

async function sinkInto(directory: string, options: JsonLinesSinkOptions = {}) {
  const sink = jsonLinesSink(directory, options);
  await sink.setup!(context);
  onTestFinished(async () => await sink.teardown!(context));
  return {
    add: async (payload: unknown, source: string | undefined, path?: number[]) =>
      await sink.process!(taskOf(payload, source, path), context) as FailedTask | undefined,
    commit: async (id: string) => await sink.commitSource!({ id }, context),
    discard: async (id: string) => await sink.discardSource!({ id }, context),
    teardown: async () => await sink.teardown!(context),
  };
}

async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(directory, name), "utf8")]),
    ),
  );
}

describe.each<JsonLinesSinkOptions>([{ order: "lineage" }, { order: "arrival" }])(
  "jsonLinesSink($order)",
  (options) => {
    test("writes one file per source, and only when the source is done", async () => {
      const directory = join(await scratch(), "new/out");
      const sink = await sinkInto(directory, options);
      await sink.add({ n: 1 }, "a", [0]);
      await sink.add({ n: 2 }, "b", [0]);
      await sink.add("three", "a", [1]);
      expect((await readdir(directory)).filter((name) => name.endsWith(".jsonl"))).toEqual([]);
      await sink.commit("a");
      await sink.commit("b");
      expect(await contents(directory)).toEqual({
        "a.jsonl": '{"n":1}\n"three"\n',
        "b.jsonl": '{"n":2}\n',
      });
    });

    test("replaces what an earlier run left, also by an empty file", async () => {
      const directory = await scratch({ "a.jsonl": "old\nold\n", "b.jsonl": "old\n" });
      const sink = await sinkInto(directory, options);
      await sink.add(1, "a");
      await sink.commit("a");
      await sink.commit("b");
      expect(await contents(directory)).toEqual({ "a.jsonl": "1\n", "b.jsonl": "" });
    });

    test("leaves the earlier file alone when the source is discarded, and no temporary", async () => {
      const directory = await scratch({ "a.jsonl": "old\n" });
      const sink = await sinkInto(directory, options);
      await sink.add("x".repeat(100_000), "a");
      await sink.discard("a");
      await sink.discard("never seen");
      expect(await contents(directory)).toEqual({ "a.jsonl": "old\n" });
      await sink.add("again", "a");
      await sink.commit("a");
      expect(await contents(directory)).toEqual({ "a.jsonl": '"again"\n' });
    });

    test("removes what is open at teardown", async () => {
      const directory = await scratch();
      const sink = await sinkInto(directory, options);
      await sink.add(1, "a");
      await sink.teardown();
      expect(await readdir(directory)).toEqual([]);
    });

    test("fails the slot of a value that JSON cannot hold, and keeps the others", async () => {
      const directory = await scratch();
      const sink = await sinkInto(directory, options);
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      for (const value of [1n, cycle, undefined, () => 1, Symbol("s")]) {
        const result = await sink.add(value, "a");
        expect(result).toBeInstanceOf(FailedTask);
        expect(result!.reason).toMatch(/cannot be written as JSON/);
      }
      expect(await sink.add("line\u2028\nend \ud800", "a")).toBeUndefined();
      await sink.commit("a");
      expect(await contents(directory)).toEqual({
        "a.jsonl": `${JSON.stringify("line\u2028\nend \ud800")}\n`,
      });
    });

    test("fails a task that belongs to no source", async () => {
      const sink = await sinkInto(await scratch(), options);
      expect(await sink.add(1, undefined)).toMatchObject({
        reason: expect.stringContaining("no source"),
      });
    });

    test("fails the commit when its file cannot take its name, and leaves no temporary", async () => {
      const directory = await scratch({ "a.jsonl/in the way": "" });
      const sink = await sinkInto(directory, options);
      await sink.add(1, "a");
      await expect(sink.commit("a")).rejects.toMatchObject({
        code: "OUTPUT_UNWRITABLE",
        subject: "a.jsonl",
      });
      expect(await readdir(directory)).toEqual(["a.jsonl"]);
      await sink.discard("a");
    });

    test("never writes half a source when many are under way at once", async () => {
      const directory = await scratch();
      const sink = await sinkInto(directory, options);
      const sources = Array.from({ length: 20 }, (_, i) => `s${i}`);
      await Promise.all(
        sources.flatMap((source) =>
          Array.from(
            { length: 50 },
            (_, i) => sink.add({ source, i, text: "t".repeat(3000) }, source, [i]),
          )
        ),
      );
      await Promise.all(sources.map((source) => sink.commit(source)));
      const files = await contents(directory);
      expect(Object.keys(files)).toHaveLength(20);
      for (const [name, text] of Object.entries(files)) {
        const rows = text.trimEnd().split("\n").map((line) =>
          JSON.parse(line) as { source: string; i: number }
        );
        expect(rows.map((row) => row.i)).toEqual(Array.from({ length: 50 }, (_, i) => i));
        expect(new Set(rows.map((row) => `${row.source}.jsonl`))).toEqual(new Set([name]));
      }
    });
  },
);

test("jsonLinesSink() sorts lines by lineage, so that a rerun gives the same bytes", async () => {
  const directory = await scratch();
  const sink = await sinkInto(directory);
  for (const path of [[10], [2, 1], [2], [0, 5], [2, 0], [0, 10]]) await sink.add(path, "a", path);
  await sink.commit("a");
  expect(await contents(directory)).toEqual({
    "a.jsonl": "[0,5]\n[0,10]\n[2]\n[2,0]\n[2,1]\n[10]\n",
  });
});

test("jsonLinesSink() can commit again after a commit that failed", async () => {
  const directory = await scratch({ "a.jsonl/in the way": "" });
  const sink = await sinkInto(directory);
  await sink.add(1, "a");
  await expect(sink.commit("a")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  await rm(join(directory, "a.jsonl"), { recursive: true });
  await sink.commit("a");
  expect(await contents(directory)).toEqual({ "a.jsonl": "1\n" });
});

test.skipIf(process.platform === "win32")(
  "jsonLinesSink() fails a source that the disk cannot hold, and only that",
  async () => {
    const directory = await scratch();
    const script = `
    import { jsonLinesSink } from ${
      JSON.stringify(new URL("../../io/json_lines_sink.ts", import.meta.url).href)
    };
    const sink = jsonLinesSink(${JSON.stringify(join(directory, "out"))});
    await sink.setup({});
    const task = (id, payload) => ({ payload, source: { id }, path: [0] });
    await sink.process(task("big", "x".repeat(1_000_000)), {});
    await sink.process(task("small", "x"), {});
    try { await sink.commitSource({ id: "big" }); } catch (error) { console.log(error.code, error.subject); }
    await sink.commitSource({ id: "small" });
    await sink.teardown({});`;
    await writeFile(join(directory, "write.mjs"), script);
    // A limit on the size of files stands for a full disk: the write is refused in the middle.
    const child = spawnSync(
      "sh",
      [
        "-c",
        'trap "" XFSZ; ulimit -f 256; exec "$@"',
        "sh",
        ...runtime(),
        join(directory, "write.mjs"),
      ],
      { encoding: "utf8" },
    );
    expect({ out: child.stdout.trim(), err: child.stderr }).toEqual({
      out: "OUTPUT_UNWRITABLE big.jsonl",
      err: "",
    });
    expect(await contents(join(directory, "out"))).toEqual({ "small.jsonl": '"x"\n' });
  },
);

describe("jsonLinesSink() names", () => {
  test("jsonLinesSink() keeps plain ids readable and makes the others unambiguous", () => {
    expect(outputName("1790_george_washington_n.txt")).toBe("1790_george_washington_n.txt");
    expect(outputName("#12")).toBe("source~12");
    expect(outputName("x/y/Été.txt")).toMatch(/^x-y-Été\.txt~[0-9a-f]{32}$/);
    expect(outputName("../../etc/passwd")).toMatch(/^etc-passwd~[0-9a-f]{32}$/);
  });

  test("jsonLinesSink() gives no two ids the same file, whatever the file system folds", () => {
    const ids = [
      "a",
      "A",
      "a.",
      "a ",
      " a",
      "a/b",
      "a\\b",
      "a-b",
      "a_b",
      "a:b",
      "..",
      ".",
      "../a",
      "/a",
      "con",
      "CON",
      "con.txt",
      "nul",
      "é",
      "e\u0301",
      "É",
      "\u{1F30A}",
      "日本",
      "",
      "-a",
      "~a",
      "source~2",
      "#1",
      "##1",
      "1",
      "#1_2",
      "a\0b",
      "a\nb",
      "__proto__",
      "\ud800",
      "\ufffd",
      "x".repeat(100),
      "x".repeat(101),
      "x".repeat(5000),
      `${"x".repeat(5000)}y`,
      outputName("A"),
      outputName("#1"),
      "tidemark-tmp-1",
      ".tidemark-tmp-1-2",
    ];
    const names = ids.map((id) => outputName(id).normalize("NFC").toLowerCase());
    expect(new Set(names).size).toBe(ids.length);
    for (const name of names) {
      expect(name).not.toMatch(/[/\\\0:*?"<>|\n]|^[.-]|^(con|nul|prn|aux)(\.|$)/);
      expect(new TextEncoder().encode(`${name}.jsonl`).length).toBeLessThan(240);
    }
  });

  test("jsonLinesSink() writes ids that look like paths into its directory and nowhere else", async () => {
    const root = await scratch();
    const directory = join(root, "out");
    const sink = await sinkInto(directory);
    for (const id of ["../escape", "/abs", "..", "a/../../b", "C:\\x", "con"]) {
      await sink.add(id, id);
      await sink.commit(id);
    }
    expect(await readdir(root)).toEqual(["out"]);
    const written = Object.values(await contents(directory)).map((text) =>
      JSON.parse(text) as string
    );
    expect(written.sort()).toEqual(["..", "../escape", "/abs", "C:\\x", "a/../../b", "con"]);
  });

  test("jsonLinesSink() takes names that are chosen, and refuses the ones that are no file name", async () => {
    const directory = await scratch();
    let name: unknown = "chosen";
    const sink = await sinkInto(directory, { name: () => name as string });
    await sink.add(1, "a");
    await sink.commit("a");
    expect(await contents(directory)).toEqual({ "chosen.jsonl": "1\n" });
    for (
      name of [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\0",
        "a:b",
        "CON",
        "nul.txt",
        ".tidemark-tmp-x",
        "x".repeat(201),
        undefined,
        7,
      ]
    ) {
      await expect(sink.add(1, `other ${String(name)}`)).rejects.toMatchObject({
        code: "OPTION_INVALID",
      });
    }
  });

  test("jsonLinesSink() refuses one name for two sources, also in another case", async () => {
    const directory = await scratch();
    const sink = await sinkInto(directory, { name: ({ id }) => id === "1" ? "Same" : "same" });
    await sink.add(1, "1");
    await sink.commit("1");
    await expect(sink.add(2, "2")).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("same file name"),
    });
    expect(await contents(directory)).toEqual({ "Same.jsonl": "1\n" });
  });
});

describe("jsonLinesSink() at the start", () => {
  test("jsonLinesSink() says what to do when the directory is a file", async () => {
    const directory = await scratch({ file: "" });
    for (const path of [join(directory, "file"), join(directory, "file/out")]) {
      await expect(sinkInto(path)).rejects.toMatchObject({
        code: "OUTPUT_UNWRITABLE",
        subject: path,
        message: expect.stringContaining("choose another directory"),
      });
    }
  });

  test("jsonLinesSink() refuses a path where no directory can be created", async (run) => {
    if (process.platform !== "linux") run.skip("/proc is Linux's");
    await expect(sinkInto("/proc/tidemark/out")).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
  });

  test("jsonLinesSink() refuses a directory that cannot be written", async (run) => {
    if (process.getuid?.() === 0) run.skip("root writes everywhere");
    if (process.platform === "win32") run.skip("permissions work in another way");
    const directory = await scratch();
    await chmod(directory, 0o555);
    await expect(sinkInto(directory)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  });

  test("jsonLinesSink() refuses an empty directory and an unknown order", () => {
    expect(() => jsonLinesSink("")).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(() => jsonLinesSink("x", { order: "random" as "arrival" })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });

  test("jsonLinesSink() removes temporaries of processes that are gone, and of nobody else", async () => {
    const directory = await scratch();
    const alive = await TemporaryFile.open(directory);
    onTestFinished(() => alive[Symbol.asyncDispose]());
    const [mine] = await readdir(directory);
    const gone = spawnSync(process.execPath, ["--version"]).pid;
    const dead = mine!.replace(`-${process.pid}-`, `-${gone}-`);
    const parts = mine!.split("-");
    const elsewhere = [...parts.slice(0, 2), "0".repeat(16), String(gone), parts.at(-1)].join("-");
    const old = `${elsewhere}0`;
    for (const name of [dead, elsewhere, old]) await writeFile(join(directory, name), "partial");
    const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(join(directory, old), longAgo, longAgo);
    await mkdir(dirname(join(directory, "x/y")), { recursive: true });
    await sinkInto(directory);
    expect(new Set(await readdir(directory))).toEqual(new Set([mine, elsewhere, "x"]));
  });

  test("jsonLinesSink() serves one run after another, but not two at once", async () => {
    const sink = jsonLinesSink(await scratch());
    await sink.setup!(context);
    await expect(sink.setup!(context)).rejects.toMatchObject({ code: "PIPELINE_INVALID" });
    await sink.teardown!(context);
    await sink.setup!(context);
    await sink.teardown!(context);
  });

  test("jsonLinesSink() shares its directory with other writers of other sources", async () => {
    const directory = await scratch();
    const one = await sinkInto(directory, { order: "arrival" });
    await one.add(1, "a");
    const two = await sinkInto(directory, { order: "arrival" });
    await two.add(2, "b");
    await one.commit("a");
    await two.commit("b");
    expect(await contents(directory)).toEqual({ "a.jsonl": "1\n", "b.jsonl": "2\n" });
  });
});
