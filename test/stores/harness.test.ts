import { describe, expect, onTestFinished, test } from "vitest";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openStore, TidemarkError } from "../../mod.ts";
import { cases, type Harness, loadHarness, openOnce, validateStore } from "../conformance/mod.ts";

const sound: Harness = {
  name: "mine",
  capabilities: { durable: false, shared: true, files: false },
  open: (directory) => openStore(`memory:${directory}`),
};

async function moduleOf(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-harness-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "harness.mjs");
  await writeFile(path, text);
  return pathToFileURL(path).href;
}

const CAPABILITIES = "durable: false, shared: true, files: false";

describe("loadHarness()", () => {
  test.each([
    ["", /exports nothing/],
    ["export const harness = {}, other = 1;", /no default export, only harness, other/],
    ["export default class MyStore {}", /exports the class MyStore by default/],
    ["export default function make() {}", /exports the function make by default/],
    ["export default 7;", /exports 7 by default, not a harness/],
    ["export default null;", /exports null by default/],
    [
      "export default {};",
      /whose name is missing, open\(\) is missing, capabilities is missing \(/,
    ],
    [
      `export default { name: "m", open() {}, capabilities: { durable: true, shared: true } };`,
      /whose capabilities\.files is missing \(/,
    ],
    [
      `export default { name: "", open: 1, capabilities: { durable: 1, shared: true, files: true } };`,
      /whose name is no text, or an empty one, open\(\) is no function, capabilities\.durable is no boolean \(/,
    ],
    [
      `export default { name: "m", open() {}, capabilities: { ${CAPABILITIES} }, module: "x" };`,
      /whose module is no URL: import\.meta\.url is \(/,
    ],
  ])("says what it found in %j", async (text, message) => {
    const url = await moduleOf(text);
    await expect(loadHarness(url)).rejects.toMatchObject({ code: "MODULE_INVALID" });
    await expect(loadHarness(url)).rejects.toThrow(message);
    await expect(loadHarness(url)).rejects.toThrow(/a harness is \{ name, capabilities/);
  });

  test("takes an object of a class, whose open() is not its own property", async () => {
    const url = await moduleOf(`export default new (class {
      name = "m";
      capabilities = { ${CAPABILITIES} };
      #opened = "opened";
      open(directory) { return this.#opened + " " + directory; }
      async remove(directory) { this.#opened = "removed " + directory; }
    })();`);
    const harness = await loadHarness(url);
    expect(harness.open("here", { onWarning: () => {} })).toBe("opened here");
    await harness.remove?.("there");
    expect(harness.open("here", { onWarning: () => {} })).toBe("removed there here");
  });

  test("takes a module whose default export is a harness", async () => {
    const url = await moduleOf(
      `export default { name: "m", open() {}, capabilities: { ${CAPABILITIES} } };`,
    );
    expect(await loadHarness(url)).toMatchObject({ name: "m", module: url });
  });
});

describe("openOnce()", () => {
  test("opens a store on a fresh checkpoint, closes it and leaves nothing", async () => {
    const calls: string[] = [];
    let parent = "";
    await openOnce({
      ...sound,
      async open(directory) {
        parent = join(directory, "../..");
        calls.push("open");
        await mkdir(directory, { recursive: true });
        const store = await openStore(`memory:${directory}`);
        const close = async () => {
          calls.push("close");
          await store.close();
        };
        return new Proxy(store, {
          get: (target, name) => name === "close" ? close : Reflect.get(target, name, target),
        });
      },
      remove: async () => void calls.push("remove"),
    });
    expect(calls).toEqual(["open", "close", "remove"]);
    await expect(readdir(parent)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("does not mind how a store is closed", async () => {
    const close = () => Promise.reject(new Error("no"));
    const open = async () => ({ ...await openStore("memory:"), append: close, close });
    await openOnce({ ...sound, open });
  });

  test("gives up a store that does not open in time", async () => {
    const opening = openOnce({ ...sound, open: () => new Promise(() => {}) }, 20);
    await expect(opening).rejects.toThrow(/mine cannot be opened: open\(\) did not end within/);
  });
});

describe("validateStore() of a store that cannot be opened", () => {
  const run = async (open: () => Promise<never>): Promise<unknown> => {
    let ran = 0;
    const validated = validateStore({ ...sound, open }, { cases, onResult: () => ran++ });
    const thrown = await validated.catch((error: unknown) => error);
    expect(ran).toBe(0);
    return thrown;
  };

  test("rejects before the cases, with the store's own message", async () => {
    const cause = new Error("the port is taken");
    expect(await run(() => Promise.reject(cause))).toMatchObject({
      code: "CHECKPOINT_OPEN",
      message: expect.stringMatching(/^the store mine cannot be opened: the port is taken$/),
      cause,
    });
    expect(
      await run(() => {
        throw cause;
      }),
    ).toMatchObject({ code: "CHECKPOINT_OPEN", cause });
    expect(await run(() => Promise.resolve(undefined as never))).toMatchObject({
      message: expect.stringMatching(/open\(\) gave no store/),
    });
  });

  test("rejects with the error that names a missing driver", async () => {
    const missing = new TidemarkError("DRIVER_MISSING", "install it");
    expect(await run(() => Promise.reject(missing))).toBe(missing);
  });
});

describe("a case that fails", () => {
  const bound = (target: object, name: PropertyKey): unknown => {
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  };
  const changed = (changes: Record<string, unknown>): Harness => ({
    ...sound,
    async open(directory) {
      const store = await openStore(`memory:${directory}`);
      return new Proxy(store, {
        get: (target, name) => changes[String(name)] ?? bound(target, name),
      });
    },
  });

  test.each([
    ["forgets", { append: async () => {} }],
    ["yields nothing", { async *read() {} }],
    ["yields nonsense", {
      async *read() {
        yield { origin: "?", records: [new Uint8Array(3), new Uint8Array(20_000)] };
      },
    }],
    ["has no end", { close: async () => {}, [Symbol.asyncDispose.toString()]: async () => {} }],
    ["misnames itself", { writer: "a/b", location: "", capabilities: {} }],
    ["takes any manifest", { manifest: (text: string) => Promise.resolve(text) }],
  ])("says what a store must do: one that %s", async (_, changes) => {
    const { results } = await validateStore(changed(changes));
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed.length).toBeGreaterThan(0);
    for (const { name, reason } of failed) {
      expect(reason, name).toMatch(/ must /);
      expect(reason, name).not.toMatch(/Missing expected|falsy|to be (strictly|loosely)/);
    }
  });

  test("says which code a store must refuse with after close()", async () => {
    const { results } = await validateStore(changed({ close: async () => {} }));
    const reasons = results.map(({ reason }) => reason);
    expect(reasons).toContain(
      "append() after close() must reject with an error whose code is STORE_CLOSED; it resolved",
    );
  });
});
