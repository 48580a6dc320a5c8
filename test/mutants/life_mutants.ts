import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckpointStore } from "../../core/store.ts";
import { LogStore } from "../../examples/log_store/log_store.ts";
import { isShared, type Mutant, mutated, replaced } from "./mutant.ts";

const LEFTOVERS = /leaves no open file|did nothing lets its process end/;

/** Manifests that are not written yet, by directory. */
const manifests = new Map<string, string>();

/** Stores that are open, and how often, by directory. */
const common = new Map<string, { inner: CheckpointStore; handles: number }>();

/** Bugs in how stores begin, end, share a checkpoint and agree on its manifest. */
export const lifeMutants: Readonly<Record<string, Mutant>> = {
  shares_a_file: {
    bug: "gives all handles of a process one writer and one file",
    expected: "writer is another name for each store",
    related: isShared,
    async open(directory, { onWarning }) {
      const made = common.get(directory) ??
        { inner: await LogStore.open(directory, onWarning), handles: 0 };
      // Another open() may have been first meanwhile.
      const shared = common.get(directory) ?? made;
      common.set(directory, shared);
      shared.handles++;
      let closed = false;
      const end = new Proxy(shared.inner, {});
      return replaced(end, {
        async append(records) {
          if (closed) throw Object.assign(new Error("closed"), { code: "STORE_CLOSED" });
          await shared.inner.append(records);
        },
        async manifest(proposed) {
          if (closed) throw Object.assign(new Error("closed"), { code: "STORE_CLOSED" });
          return await shared.inner.manifest(proposed);
        },
        async *read() {
          if (closed) throw Object.assign(new Error("closed"), { code: "STORE_CLOSED" });
          for await (const batch of shared.inner.read()) {
            yield batch;
            if (closed) throw Object.assign(new Error("closed"), { code: "STORE_CLOSED" });
          }
        },
        async close() {
          if (closed) return;
          closed = true;
          if (--shared.handles > 0) return;
          common.delete(directory);
          await shared.inner.close();
        },
      });
    },
  },
  is_not_disposed: {
    bug: "does nothing when it is disposed of",
    expected: "disposing of a store closes it",
    async open(directory, { onWarning }) {
      const inner = await LogStore.open(directory, onWarning);
      return { ...replaced(inner, {}), [Symbol.asyncDispose]: async () => {} };
    },
  },
  denies_what_it_can: {
    bug: "says that it can do nothing",
    expected: "a store says where it is and what it can do, as its harness does",
    async open(directory, { onWarning }) {
      const inner = await LogStore.open(directory, onWarning);
      const capabilities = { durable: false, shared: false, files: false };
      return { ...replaced(inner, {}), capabilities };
    },
  },
  closes_once: mutated(
    {
      bug: "throws when it is closed twice",
      expected: "close() twice is one close()",
      related: /after close\(\) twice/,
    },
    (inner) => {
      let closed = false;
      return {
        async close() {
          if (closed) throw new Error("it is closed already");
          closed = true;
          await inner.close();
        },
      };
    },
  ),
  accepts_after_close: mutated(
    {
      bug: "takes records after its end and drops them",
      expected: "append() after close() is refused",
      related: /^append\(\).* after close\(\)|disposing/,
    },
    (inner) => {
      let closed = false;
      return {
        async append(records) {
          if (!closed) await inner.append(records);
        },
        async close() {
          closed = true;
          await inner.close();
        },
      };
    },
  ),
  reads_after_close: {
    bug: "goes on yielding after its end",
    expected: "read() that has begun is refused after close()",
    related: /^read\(\) after close\(\)/,
    async open(directory, { onWarning }) {
      const inner = await LogStore.open(directory);
      const reader = await LogStore.open(directory, onWarning);
      return replaced(inner, {
        async *read() {
          for await (const batch of reader.read()) {
            if (!batch.origin.includes(inner.writer)) yield batch;
          }
        },
      });
    },
  },
  drops_on_close: mutated(
    {
      bug: "gives up an append that is on its way when it is closed",
      expected: "close() waits for an append that is on its way",
    },
    (inner) => {
      let closed = false;
      return {
        async append(records) {
          await inner.append([]);
          await new Promise((resolve) => setTimeout(resolve, 0));
          if (!closed) await inner.append(records);
        },
        async close() {
          closed = true;
          await inner.close();
        },
      };
    },
  ),
  leaks_a_handle: mutated(
    {
      bug: "leaves its file open",
      expected: "close() after all kinds of work leaves no open file and no process",
    },
    (inner, directory) => ({
      async append(records) {
        await inner.append(records);
        if (records.length === 0) return;
        openSync(join(directory, `${inner.writer}.log`), "r");
      },
    }),
  ),
  leaks_a_process: mutated(
    {
      bug: "leaves a process running",
      expected: "close() after all kinds of work leaves no open file and no process",
      related: LEFTOVERS,
    },
    () => {
      spawn("sleep", ["30"], { stdio: "ignore" }).unref();
      return {};
    },
  ),
  keeps_its_process: mutated(
    {
      bug: "leaves a timer that keeps its process from ending",
      expected: "close() lets its process end by itself",
      related: /lets its process end|goes on in the next process/,
    },
    () => {
      setInterval(() => {}, 1000);
      return {};
    },
  ),
  replaces_manifest: mutated(
    {
      bug: "lets the last manifest win",
      expected: "manifest() keeps the first proposal",
      related: /manifest\(\)/,
    },
    (inner, directory) => ({
      async manifest(proposed) {
        await inner.append([]);
        rmSync(join(directory, "manifest"), { force: true });
        return await inner.manifest(proposed);
      },
    }),
  ),
  writes_manifest_late: mutated(
    {
      bug: "writes the manifest when it is closed",
      expected: "manifest() that resolved right before its process was killed stands",
      related: /processes that race/,
    },
    (inner, directory) => ({
      async manifest(proposed) {
        await inner.append([]);
        const path = join(directory, "manifest");
        if (existsSync(path)) return await inner.manifest(proposed);
        const standing = manifests.get(directory) ?? proposed;
        manifests.set(directory, standing);
        return standing;
      },
      async close() {
        const standing = manifests.get(directory);
        if (standing !== undefined) await inner.manifest(standing).catch(() => {});
        await inner.close();
      },
    }),
  ),
  races_for_manifest: mutated(
    {
      bug: "looks for a manifest and writes one in two steps",
      expected: "manifest() is the same for all who race for it",
      related: /^manifest\(\) is the same for processes/,
    },
    (inner, directory) => ({
      async manifest(proposed) {
        await inner.append([]);
        const path = join(directory, "manifest");
        if (existsSync(path)) return readFileSync(path, "utf8");
        await new Promise((resolve) => setTimeout(resolve, 1));
        writeFileSync(path, proposed);
        return proposed;
      },
    }),
  ),
  escapes_manifest: mutated(
    {
      bug: "changes the line ends of the manifest",
      expected: "manifest() keeps any text as it is",
    },
    (inner) => ({ manifest: (proposed) => inner.manifest(proposed.replaceAll("\r\n", "\n")) }),
  ),
  counts_manifest: mutated(
    {
      bug: "keeps the manifest among the records",
      expected: "manifest() is no record",
    },
    (inner) => ({
      async manifest(proposed) {
        const standing = await inner.manifest(proposed);
        if (standing === "text") await inner.append([new TextEncoder().encode(standing)]);
        return standing;
      },
    }),
  ),
};
