import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { assertIs } from "./assertions.ts";
import type { CaseHarness, ConformanceCase } from "./case.ts";
import { range, scrambled } from "./records.ts";
import { appendStatements, statement } from "./statements.ts";

const RECORDS = 400;

/** What may happen to a writer's file. */
const DAMAGES: Readonly<Record<string, (whole: Buffer) => Buffer>> = {
  "is empty": () => Buffer.alloc(0),
  "is cut in half": (whole) => whole.subarray(0, whole.length >> 1),
  "lost its last third": (whole) => whole.subarray(0, Math.floor((whole.length * 2) / 3)),
  "is text": () => Buffer.from("this is not what was written here. ".repeat(500)),
  "is garbage": (whole) => Buffer.from(scrambled(whole.length, 99)),
  "is zeros": (whole) => Buffer.alloc(whole.length),
  "has zeros in the middle": (whole) =>
    Buffer.from(whole).fill(0, whole.length >> 2, (whole.length * 3) >> 2),
  "has a flipped bit in every 512 bytes": (whole) => {
    const flipped = Buffer.from(whole);
    for (let at = 300; at < flipped.length; at += 512) flipped[at]! ^= 0x10;
    return flipped;
  },
};

async function filesBelow(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const paths = names.map((name) => join(directory, name));
  const found = await Promise.all(paths.map((path) => stat(path)));
  return paths.filter((_, i) => found[i]!.isFile());
}

/** Writes a checkpoint through one more writer. Returns the largest file that this added. */
async function writeSources(harness: CaseHarness, prefix: string): Promise<string> {
  const before = new Set(await filesBelow(harness.directory));
  const store = await harness.open();
  for (const start of [0, RECORDS / 2]) {
    const records = range(start, RECORDS / 2).map((n) =>
      statement(`${prefix}${n}`, "complete", 1, { writer: store.writer })
    );
    await appendStatements(store, ...records);
  }
  await store.close();
  const added = (await filesBelow(harness.directory)).filter((path) => !before.has(path));
  assert.ok(
    added.length > 0,
    "a store with the capability files must keep each writer's records in a file of its own below " +
      "the directory; a writer added none",
  );
  const sizes = await Promise.all(added.map(async (path) => (await stat(path)).size));
  return added[sizes.indexOf(Math.max(...sizes))]!;
}

/** What may lie beside a writer's file, under a name like its own or another. */
const foreignCase: ConformanceCase = {
  name: "read() goes past directories, dangling links and notes beside a writer's file",
  needs: ["files", "processes"],
  async run(harness) {
    const file = await writeSources(harness, "whole ");
    const beside = (name: string) => join(dirname(file), name);
    await mkdir(beside(`directory${extname(file)}`));
    await symlink(beside("nowhere"), beside(`link${extname(file)}`));
    await writeFile(beside("notes.txt"), "hello");
    const { survey } = await (await harness.start()).ask({ do: "survey" });
    assertIs(
      survey!.records.length,
      RECORDS,
      "read() must yield the sound file's records, whatever else lies in its directory",
    );
  },
};

const fileCases = Object.entries(DAMAGES).map((
  [what, damage],
): ConformanceCase => ({
  name: `read() of a writer's file that ${what} names it and yields the others`,
  needs: ["files", "processes"],
  async run(harness) {
    const file = await writeSources(harness, "damaged ");
    await writeSources(harness, "whole ");
    await writeFile(file, damage(await readFile(file)));
    // In a process of its own, because some drivers crash on a damaged file.
    const { survey } = await (await harness.start()).ask({ do: "survey" });
    const found = new Map(survey!.records.map((record) => [record.source, record]));
    const written = (prefix: string) => range(0, RECORDS).map((n) => `${prefix}${n}`);
    const missing = (prefix: string) => written(prefix).filter((source) => !found.has(source));
    assertIs(missing("whole "), [], "a damaged file must not cost records of another file");
    const known = new Set([...written("damaged "), ...written("whole ")]);
    const invented = [...found.values()].filter(({ source, state, clock }) =>
      !known.has(source) || state !== "complete" || clock !== 1
    );
    assertIs(invented, [], "read() must not make records up from a damaged file");
    const lost = missing("damaged ").length;
    const named = survey!.named.some((text) => text.includes(basename(file)));
    assert.ok(
      lost === 0 || named,
      `a warning must name a file whose records are lost; ${lost} are and none names ` +
        basename(file),
    );
  },
}));

/** A damaged file costs what was in it, and is named. */
export const damageCases: readonly ConformanceCase[] = [...fileCases, foreignCase];
