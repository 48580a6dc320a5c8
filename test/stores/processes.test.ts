import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type NamedStoreConfig, openStore } from "../../stores/open_store.ts";
import { range, readNumbers } from "../conformance/records.ts";
import { FILE_STORES, filesOf, readCheckpoint } from "./file_stores.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

const temporary = temporaryDirectories();
const script = fileURLToPath(new URL("./append_process.ts", import.meta.url));

/** A process that appends numbered records and says how many are durable. */
class AppendProcess {
  durable = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #errors = "";
  #onProgress = () => {};

  constructor(config: NamedStoreConfig, batch: number, batches: number) {
    const runtime = "Deno" in globalThis ? ["run", "-A"] : [];
    const args = [...runtime, script, JSON.stringify(config), `${batch}`, `${batches}`];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr!.on("data", (text) => (this.#errors += text));
    this.#ended = new Promise((done) => this.#child.once("close", () => done()));
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.durable = Number(line);
      this.#onProgress();
    });
  }

  /** Resolves when so many records are durable. */
  async reached(count: number): Promise<void> {
    const reached = new Promise<boolean>((done) => {
      this.#onProgress = () => this.durable >= count && done(true);
      this.#onProgress();
    });
    const ended = this.#ended.then(() => this.durable >= count);
    if (!(await Promise.race([reached, ended]))) throw new Error(`it ended: ${this.#errors}`);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks the process to close its store, and waits for its end. */
  async finish(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
    expect(this.#errors).toBe("");
    expect(this.#child.exitCode).toBe(0);
  }
}

for (const { name, extension, config } of FILE_STORES) {
  describe(`${name}: append()`, () => {
    it("has put the records on disk when it resolves", async () => {
      const path = temporary();
      const child = new AppendProcess(config(path), 10, 1);
      await child.reached(10);
      await child.kill();
      expect(await readCheckpoint(config(path))).toEqual({ numbers: range(0, 10), warnings: [] });
    }, 30_000);

    it("keeps whole batches when its process is killed in the middle", async () => {
      for (const wait of [100, 1000, 3000]) {
        const path = temporary();
        const child = new AppendProcess(config(path), 50, 1e6);
        await child.reached(wait);
        await child.kill();
        const { numbers, warnings } = await readCheckpoint(config(path));
        expect(warnings).toEqual([]);
        expect(numbers.length % 50).toBe(0);
        expect(numbers.length).toBeGreaterThanOrEqual(child.durable);
        expect(numbers).toEqual(range(0, numbers.length));
        // A second reader finds what the first found, and the next run writes its own file.
        const next = new AppendProcess(config(path), 5, 1);
        await next.reached(5);
        await next.finish();
        expect((await readCheckpoint(config(path))).numbers).toHaveLength(numbers.length + 5);
        expect(filesOf(path, extension)).toHaveLength(2);
      }
    }, 60_000);

    it("closes without leaving anything but its file", async () => {
      const path = temporary();
      const child = new AppendProcess(config(path), 10, 3);
      await child.reached(30);
      await child.finish();
      const names = readdirSync(join(path, ".tidemark"));
      expect(names).toEqual([expect.stringMatching(new RegExp(`\\${extension}$`))]);
    }, 30_000);
  });

  describe(`${name}: read()`, () => {
    it("of a file that is being committed to misses nothing and invents nothing", async () => {
      const path = temporary();
      const child = new AppendProcess(config(path), 7, 1e6);
      await child.reached(7);
      const warnings: unknown[] = [];
      const following = await openStore(config(path), (warning) => void warnings.push(warning));
      const followed: number[] = [];
      const deadline = performance.now() + 3000;
      let reads = 0;
      while (performance.now() < deadline) {
        const durable = child.durable;
        followed.push(...(await readNumbers(following)));
        expect(followed.length).toBeGreaterThanOrEqual(durable);
        const fresh = await openStore(config(path), (warning) => void warnings.push(warning));
        const numbers = await readNumbers(fresh);
        await fresh.close();
        expect(numbers.length).toBeGreaterThanOrEqual(followed.length);
        expect(numbers.length % 7).toBe(0);
        expect(numbers).toEqual(range(0, numbers.length));
        reads++;
      }
      await child.kill();
      followed.push(...(await readNumbers(following)));
      await following.close();
      expect(followed).toEqual(range(0, followed.length));
      expect(warnings).toEqual([]);
      expect(reads).toBeGreaterThan(5);
    }, 60_000);
  });

  describe(`${name}: two processes`, () => {
    it("append to one checkpoint at once, each to its own file", async () => {
      const path = temporary();
      const children = [0, 1].map(() => new AppendProcess(config(path), 20, 50));
      await Promise.all(children.map((child) => child.reached(1000)));
      await Promise.all(children.map((child) => child.finish()));
      const { numbers, warnings } = await readCheckpoint(config(path));
      expect(warnings).toEqual([]);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(range(0, 1000).flatMap((n) => [n, n]));
      expect(filesOf(path, extension)).toHaveLength(2);
    }, 30_000);
  });
}
