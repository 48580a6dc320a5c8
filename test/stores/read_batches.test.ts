import { describe, expect, it } from "vitest";
import { openStore } from "../../stores/open_store.ts";
import { numberedRange, numberOf, range, readNumbers } from "../conformance/records.ts";
import { FILE_STORES, writeCheckpoint } from "./file_stores.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();
const FEW_A_BLOCK = 500;
const MANY_A_BLOCK = 60_000;
const ALL = FEW_A_BLOCK + MANY_A_BLOCK;

describe.for(FILE_STORES)("$name: read()", ({ config }) => {
  const written = async (): Promise<string> => {
    const path = temporary();
    await writeCheckpoint(config(path), [
      numberedRange(0, FEW_A_BLOCK, 1_900),
      numberedRange(FEW_A_BLOCK, MANY_A_BLOCK, 4),
    ]);
    return path;
  };

  it("yields at most 10,000 records at once, however many a block has", async () => {
    await using store = await openStore(config(await written()));
    const numbers: number[] = [];
    for await (const { records } of store.read()) {
      expect(records.length).toBeLessThanOrEqual(10_000);
      numbers.push(...records.map(numberOf));
    }
    expect(numbers).toEqual(range(0, ALL));
  });

  it("goes on after the last batch that was yielded", async () => {
    await using store = await openStore(config(await written()));
    const numbers: number[] = [];
    for (let rounds = 0; rounds < 5; rounds++) {
      for await (const { records } of store.read()) {
        numbers.push(...records.map(numberOf));
        break;
      }
    }
    expect(numbers.length).toBeLessThan(ALL);
    expect([...numbers, ...await readNumbers(store)]).toEqual(range(0, ALL));
  });
});
