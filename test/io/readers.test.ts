import { Buffer } from "node:buffer";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FailedTask } from "../../core/task.ts";
import type { FileGroup } from "../../io/files.ts";
import { jsonLines } from "../../io/json_lines.ts";
import { readLines } from "../../io/read_lines.ts";
import { readText, readTexts } from "../../io/read_text.ts";
import { collect, listener, scratch } from "./scratch.ts";

function group(directory: string, ...names: string[]): FileGroup {
  return { paths: names.map((name) => join(directory, name)), names, id: "g", version: undefined };
}

/** The reasons of failed slots, the values of others. */
function shown(slots: readonly unknown[]): unknown[] {
  return slots.map((slot) => slot instanceof FailedTask ? `failed: ${slot.reason}` : slot);
}

describe("readText()", () => {
  test("readText() reads a whole file without its byte order mark", async () => {
    const directory = await scratch({ "a.txt": "\u{FEFF}grüße\n\u{1F30A}" });
    expect(await readText()(group(directory, "a.txt"))).toEqual({
      name: "a.txt",
      text: "grüße\n\u{1F30A}",
    });
  });

  test("readText() joins characters that chunks cut in two", async () => {
    const text = "x" + "é".repeat(400_000);
    const directory = await scratch({ "a.txt": text });
    expect(await readText()(group(directory, "a.txt"))).toEqual({ name: "a.txt", text });
  });

  test("readText() decompresses what ends with .gz, several members too", async () => {
    const directory = await scratch({
      "a.txt.gz": Buffer.concat([gzipSync("one "), gzipSync("two")]),
    });
    expect(await readText()(group(directory, "a.txt.gz"))).toEqual({
      name: "a.txt.gz",
      text: "one two",
    });
  });

  test("readText() fails a file that is not of its encoding, or replaces, or takes another", async () => {
    const directory = await scratch({
      "a.txt": Buffer.from("gr\xfcn", "latin1"),
      "b.txt": Buffer.from([0x61, 0xc3]),
    });
    expect(shown([await readText()(group(directory, "a.txt"))])).toEqual([
      expect.stringMatching(/^failed: a\.txt: not valid utf-8/),
    ]);
    expect(shown([await readText()(group(directory, "b.txt"))])).toEqual([
      expect.stringMatching(/^failed: b\.txt/),
    ]);
    expect(await readText({ invalid: "replace" })(group(directory, "a.txt"))).toMatchObject({
      text: "gr\u{FFFD}n",
    });
    expect(await readText({ encoding: "windows-1252" })(group(directory, "a.txt"))).toMatchObject({
      text: "grün",
    });
  });

  test("readText() throws INPUT_UNREADABLE for a missing file and a truncated archive", async () => {
    const directory = await scratch({ "cut.gz": gzipSync("x".repeat(1000)).subarray(0, 20) });
    await expect(readText()(group(directory, "none"))).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
      message: expect.stringContaining("none"),
    });
    await expect(readText()(group(directory, "cut.gz"))).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
    });
    await expect(readText()(group(directory, "."))).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
    });
  });

  test("readText() fails a source of several files and names readTexts()", async () => {
    const directory = await scratch({ a: "1", b: "2" });
    expect(shown([await readText()(group(directory, "a", "b"))])).toEqual([
      expect.stringContaining("readTexts()"),
    ]);
    expect(await collect(readTexts()(group(directory, "a", "b")))).toEqual([{
      name: "a",
      text: "1",
    }, { name: "b", text: "2" }]);
  });

  test("readText() refuses an unknown encoding where it is called", () => {
    expect(() => readText({ encoding: "klingon" })).toThrow(RangeError);
  });
});

describe("readLines()", () => {
  test("readLines() takes \\n and \\r\\n, skips empty lines, counts them, and needs no last end", async () => {
    const directory = await scratch({ a: "\u{FEFF}one\r\n\n\r\n  two\nthree" });
    expect(await collect(readLines()(group(directory, "a")))).toEqual([
      { name: "a", number: 1, text: "one" },
      { name: "a", number: 4, text: "  two" },
      { name: "a", number: 5, text: "three" },
    ]);
  });

  test("readLines() reads the files of a group one after another, plain or .gz", async () => {
    const directory = await scratch({ a: "1\n", "b.gz": gzipSync("2\n3\n"), c: "" });
    expect(
      (await collect(readLines()(group(directory, "a", "b.gz", "c")))).map((line) =>
        (line as { text: string }).text
      ),
    )
      .toEqual(["1", "2", "3"]);
  });

  test("readLines() fails the lines that are broken and goes on", async () => {
    const directory = await scratch({
      a: Buffer.concat([
        Buffer.from("ok\n"),
        Buffer.from([0xff, 0x0a]),
        Buffer.from("123456\nend\n"),
      ]),
    });
    expect(shown(await collect(readLines({ maxLineBytes: 5 })(group(directory, "a"))))).toEqual([
      { name: "a", number: 1, text: "ok" },
      "failed: a:2: not valid UTF-8",
      "failed: a:3: longer than 5 bytes",
      { name: "a", number: 4, text: "end" },
    ]);
  });

  test("readLines() keeps lines whole across chunks, and drops one over the limit as it reads", async () => {
    const long = "y".repeat(700_000);
    const directory = await scratch({ a: `${long}\nshort\n${long}${long}\nlast` });
    const lines = await collect(readLines({ maxLineBytes: 1_000_000 })(group(directory, "a")));
    expect(
      shown(lines).map((line) => typeof line === "string" ? line : (line as { text: string }).text),
    ).toEqual([
      long,
      "short",
      "failed: a:3: longer than 1000000 bytes",
      "last",
    ]);
  });

  test("readLines() stops when its consumer stops and when the run gives up", async () => {
    const directory = await scratch({ a: "1\n2\n3\n" });
    for await (const line of readLines()(group(directory, "a"))) {
      expect(line).toMatchObject({ text: "1" });
      break;
    }
    const signal = AbortSignal.abort(new Error("given up"));
    await expect(collect(readLines()(group(directory, "a"), listener(signal)))).rejects.toThrow(
      "given up",
    );
  });

  test("readLines() refuses a limit out of range", () => {
    expect(() => readLines({ maxLineBytes: 0 })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });
});

describe("jsonLines()", () => {
  test("jsonLines() gives values, filters null, skips blanks and fails broken lines by file and number", async () => {
    const directory = await scratch({ "x/a.jsonl": '{"n":1}\n \t\n[2]\r\n{"n":\n"three"\nnull\n' });
    expect(shown(await collect(jsonLines()(group(directory, "x/a.jsonl"))))).toEqual([
      { n: 1 },
      [2],
      expect.stringMatching(/^failed: x\/a\.jsonl:4: .*JSON/),
      "three",
      null,
    ]);
  });

  test("jsonLines() fails what parse refuses", async () => {
    const directory = await scratch({ a: '{"n":1}\n{"m":1}\n' });
    const parse = (value: unknown): number => {
      if (
        typeof value === "object" && value !== null && "n" in value && typeof value.n === "number"
      ) return value.n;
      throw new TypeError("no n");
    };
    expect(shown(await collect(jsonLines({ parse })(group(directory, "a"))))).toEqual([
      1,
      "failed: a:2: no n",
    ]);
  });

  test("jsonLines() holds no more of a big file than it must", async () => {
    const row = `${JSON.stringify({ text: "z".repeat(1000) })}\n`;
    const directory = await scratch({ "a.jsonl.gz": gzipSync(row.repeat(20_000)) });
    let rows = 0;
    for await (const value of jsonLines<{ text: string }>()(group(directory, "a.jsonl.gz"))) {
      if (value !== null && "text" in value) rows++;
    }
    expect(rows).toBe(20_000);
  });
});
