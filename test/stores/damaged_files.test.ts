import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { openStore } from "../../stores/open_store.ts";
import { numberedRange, numberOf, range, readAll } from "../conformance/records.ts";
import { FILE_STORES, filesOf, readCheckpoint, writeCheckpoint } from "./file_stores.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();
const isRoot = process.getuid?.() === 0;

const TEXT = "this is no database, and it is longer than any header would be. ".repeat(200);
const garbage = Uint8Array.from(
  { length: 70_000 },
  (_, index) => (index * 7919 + (index >> 3)) & 0xff,
);

/** What may lie in a checkpoint under a writer's name. */
const FOREIGN: readonly { name: string; content: Uint8Array | string; says: RegExp }[] = [
  { name: "an empty file", content: "", says: /is empty/ },
  { name: "one byte", content: "\0", says: /LMDB|header/ },
  { name: "text", content: TEXT, says: /is not an/ },
  { name: "garbage", content: garbage, says: /is not an/ },
  { name: "zeros", content: new Uint8Array(65_536), says: /is not an/ },
];

for (const { name, extension, config } of FILE_STORES) {
  describe(`${name}: read()`, () => {
    it.for(FOREIGN)("skips $name with a warning", async ({ content, says }) => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 10)]);
      const foreign = join(path, ".tidemark", `foreign${extension}`);
      writeFileSync(foreign, content);
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual(range(0, 10));
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.subject).toBe(foreign);
      expect(warnings[0]!.message).toMatch(says);
      expect(warnings[0]!.message).toContain(foreign);
      expect(readFileSync(foreign).equals(Buffer.from(content))).toBe(true);
    });

    it("skips a directory with a writer's name with a warning", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 10)]);
      mkdirSync(join(path, ".tidemark", `directory${extension}`));
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(numbers).toEqual(range(0, 10));
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/is a directory/),
      ]);
    });

    it.skipIf(isRoot)(
      "skips a file that may not be read with a warning (not as root)",
      async () => {
        const { chmodSync } = await import("node:fs");
        const path = temporary();
        await writeCheckpoint(config(path), [numberedRange(0, 10)]);
        chmodSync(filesOf(path, extension)[0]!, 0o000);
        const { numbers, warnings } = await readCheckpoint(config(path));
        expect(numbers).toEqual([]);
        expect(warnings.map(({ message }) => message)).toEqual([
          expect.stringMatching(/no permission/),
        ]);
      },
    );

    it.skipIf(isRoot)("reads a directory that may not be written (not as root)", async () => {
      const { chmodSync } = await import("node:fs");
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 10)]);
      chmodSync(join(path, ".tidemark"), 0o555);
      const { numbers, warnings } = await readCheckpoint(config(path));
      const store = await openStore(config(path));
      await expect(store.append(numberedRange(10, 1))).rejects.toMatchObject({
        code: "CHECKPOINT_WRITE",
      });
      await store.close();
      chmodSync(join(path, ".tidemark"), 0o755);
      expect({ numbers, warnings }).toEqual({ numbers: range(0, 10), warnings: [] });
    });

    it("warns once about a file, not with each read", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 10)]);
      writeFileSync(join(path, ".tidemark", `foreign${extension}`), TEXT);
      const warnings: string[] = [];
      const store = await openStore(config(path), ({ message }) => void warnings.push(message));
      for (let time = 0; time < 3; time++) await readAll(store);
      await store.close();
      expect(warnings).toHaveLength(1);
    });

    it("yields what is readable of a file truncated to any length", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [
        numberedRange(0, 600, 80),
        numberedRange(600, 3, 9000),
        numberedRange(603, 600, 80),
      ]);
      const [file] = filesOf(path, extension);
      const copy = join(path, "whole");
      copyFileSync(file!, copy);
      const { length } = readFileSync(copy);
      const lengths = [
        1,
        15,
        16,
        99,
        100,
        101,
        511,
        512,
        4095,
        4096,
        4200,
        8191,
        8192,
        8193,
        12_288,
      ];
      for (let at = 16_384; at < length; at += 8192) lengths.push(at, at + 1000);
      let most = 0;
      for (const size of [...lengths, length - 4096, length - 1]) {
        copyFileSync(copy, file!);
        truncateSync(file!, size);
        const { numbers, warnings } = await readCheckpoint(config(path));
        // Its last pages may be free ones.
        const whole = numbers.length === 1203 && warnings.length === 0;
        expect(whole || warnings.length === 1, `${numbers.length} at ${size} bytes`).toBe(true);
        expect(numbers.every((number, at) => at === 0 || number > numbers[at - 1]!)).toBe(true);
        most = Math.max(most, numbers.length);
      }
      expect(most).toBeGreaterThan(500);
    }, 60_000);

    it("survives any page that is overwritten, and reads the other pages", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [
        numberedRange(0, 1500, 80),
        numberedRange(1500, 2, 20_000),
      ]);
      const [file] = filesOf(path, extension);
      const whole = readFileSync(file!);
      let most = 0;
      for (let page = 0; page * 4096 < whole.length; page++) {
        for (const filling of [0x00, 0x5a]) {
          const broken = Buffer.from(whole);
          broken.fill(filling, page * 4096, (page + 1) * 4096);
          writeFileSync(file!, broken);
          const { numbers } = await readCheckpoint(config(path));
          const known = numbers.filter((number) => number < 1502);
          expect(known.every((number, at) => at === 0 || number > known[at - 1]!)).toBe(true);
          most = Math.max(most, known.length);
        }
      }
      expect(most).toBeGreaterThan(1400);
    }, 120_000);

    it("survives flipped bytes anywhere", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 400, 40), numberedRange(400, 2, 6000)]);
      const [file] = filesOf(path, extension);
      const whole = readFileSync(file!);
      let state = 20_261;
      const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
      for (let time = 0; time < 200; time++) {
        const broken = Buffer.from(whole);
        // Half of them where headers are, which are few among the bytes.
        const page = next(whole.length >> 12) << 12;
        const at = page + (time % 2 === 0 ? next(64) : next(4096));
        broken[at] = broken[at]! ^ (1 << next(8));
        writeFileSync(file!, broken);
        const store = await openStore(config(path));
        for await (const { records } of store.read()) {
          expect(records.every((record) => record instanceof Uint8Array)).toBe(true);
        }
        await store.close();
      }
    }, 120_000);

    it("reads on when a damaged file is replaced by the whole one", async () => {
      const path = temporary();
      await writeCheckpoint(config(path), [numberedRange(0, 100)]);
      const [file] = filesOf(path, extension);
      const whole = readFileSync(file!);
      writeFileSync(file!, whole.subarray(0, 50));
      const store = await openStore(config(path));
      expect(await readAll(store)).toHaveLength(0);
      rmSync(file!);
      expect(await readAll(store)).toHaveLength(0);
      writeFileSync(file!, whole);
      expect((await readAll(store)).map(numberOf)).toEqual(range(0, 100));
      await store.close();
    });
  });
}
