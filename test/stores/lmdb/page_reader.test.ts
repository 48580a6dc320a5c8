import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeMarker } from "../../../stores/lmdb/marker.ts";
import { PageFile } from "../../../stores/lmdb/page_file.ts";
import { PageReader, startOfFile } from "../../../stores/lmdb/page_reader.ts";
import { openStore } from "../../../stores/open_store.ts";
import {
  numbered,
  numberedRange,
  numberOf,
  range,
  readNumbers,
} from "../../conformance/records.ts";
import { filesOf, readCheckpoint, writeCheckpoint } from "../file_stores.ts";
import { temporaryDirectories } from "../temporary_directory.ts";
import { buildImage } from "./page_image.ts";

const temporary = temporaryDirectories();

function checkpointWith(bytes: Uint8Array): string {
  const path = temporary();
  mkdirSync(join(path, ".tidemark"));
  writeFileSync(join(path, ".tidemark", "other.mdb"), bytes);
  return path;
}

const records = range(1, 20).map((key) => [key, numbered(key)] as const);
const text = new TextEncoder().encode("value");

describe("read() of an LMDB file", () => {
  it.for([1, 2] as const)("understands data version %i", async (version) => {
    const path = checkpointWith(
      buildImage({ version, entries: [[0, encodeMarker()], ...records] }),
    );
    expect(await readCheckpoint({ store: "lmdb", path })).toEqual({
      numbers: range(1, 20),
      warnings: [],
    });
  });

  it.for(
    [
      [
        "of another program",
        buildImage({ version: 1, entries: [[7, text]] }),
        /was not written by Tidemark/,
      ],
      [
        "with other keys",
        buildImage({ version: 2, entries: [[0, text]], flags: 0 }),
        /was not written by Tidemark/,
      ],
      [
        "without entries",
        buildImage({ version: 2, entries: [] }),
        /not written by Tidemark|damaged/,
      ],
      ["of a newer LMDB", buildImage({ version: 3, entries: records }), /newer LMDB format/],
      [
        "of a newer format of records",
        buildImage({ version: 2, entries: [[0, encodeMarker(2)], ...records] }),
        /format 2, newer than this version's 1/,
      ],
    ] as const,
  )("skips a file %s", async ([, bytes, says]) => {
    const path = checkpointWith(bytes);
    const { numbers, warnings } = await readCheckpoint({ store: "lmdb", path });
    expect(numbers).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  });

  it("reads the snapshot before when the newest meta page is lost", async () => {
    const path = temporary();
    await writeCheckpoint({ store: "lmdb", path }, [numberedRange(0, 10), numberedRange(10, 10)]);
    const [file] = filesOf(path, ".mdb");
    const whole = readFileSync(file!);
    for (const meta of [0, 1]) {
      const broken = Buffer.from(whole);
      broken.fill(0, meta * 4096, (meta + 1) * 4096);
      writeFileSync(file!, broken);
      const { numbers } = await readCheckpoint({ store: "lmdb", path });
      expect(numbers).toEqual(range(0, numbers.length));
      expect(numbers.length).toBeGreaterThanOrEqual(10);
    }
  });

  it("does not go in circles", async () => {
    const path = temporary();
    await writeCheckpoint({ store: "lmdb", path }, [numberedRange(0, 5000, 60)]);
    const [file] = filesOf(path, ".mdb");
    const bytes = readFileSync(file!);
    // Every page that is a branch gets itself as each of its children.
    for (let page = 2; page * 4096 < bytes.length; page++) {
      const at = page * 4096;
      if ((bytes.readUInt16LE(at + 18) & 0x6f) !== 0x01) continue;
      for (let index = 0; index < bytes.readUInt16LE(at + 20) >> 1; index++) {
        bytes.writeUInt32LE(page, at + bytes.readUInt16LE(at + 24 + 2 * index) + 24);
      }
    }
    writeFileSync(file!, bytes);
    const { numbers, warnings } = await readCheckpoint({ store: "lmdb", path });
    expect(numbers).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it("is read page by page where its writer is too quick otherwise", async () => {
    const path = temporary();
    await writeCheckpoint({ store: "lmdb", path }, [
      numberedRange(0, 500, 80),
      numberedRange(500, 2, 9000),
    ]);
    await using file = await PageFile.open(filesOf(path, ".mdb")[0]!);
    file.swift = true;
    const numbers: number[] = [];
    const reader = new PageReader(file, startOfFile(), (what) => expect.unreachable(what));
    for await (const batch of reader.batches()) numbers.push(...batch.map(numberOf));
    expect(numbers).toEqual(range(0, 502));
  });

  it("yields a million records in batches", async () => {
    const path = temporary();
    const writer = await openStore({ store: "lmdb", path });
    for (let part = 0; part < 20; part++) {
      await writer.append(numberedRange(part * 50_000, 50_000, 80));
    }
    await writer.close();
    const store = await openStore({ store: "lmdb", path });
    let count = 0;
    for await (const { records: batch } of store.read()) {
      if (batch.length > 4200 || numberOf(batch[0]!) !== count) expect.unreachable();
      count += batch.length;
    }
    expect(count).toBe(1_000_000);
    expect(await readNumbers(store)).toEqual([]);
    await store.close();
  }, 60_000);
});
