import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { decodeBatch, decodeHeader, HEADER_LENGTH } from "../../examples/log_store/log_format.ts";
import { LogStore } from "../../examples/log_store/log_store.ts";
import { type Mutant, mutated, replaced } from "./mutant.ts";

/** Whether the process in a log's name still runs. */
function isAlive(name: string): boolean {
  try {
    return process.kill(Number(name.split("-")[1]), 0);
  } catch {
    return false;
  }
}

/** Whether a log ends with a part of a batch, which its writer did not come to commit. */
async function isTorn(path: string): Promise<boolean> {
  const log = await readFile(path).catch(() => undefined);
  if (log === undefined) return false;
  const { commit } = decodeHeader(log.subarray(0, HEADER_LENGTH));
  const rest = log.subarray(commit?.length);
  return rest.length > 0 && decodeBatch(rest) === undefined;
}

/** Bugs that show when a process is killed, or when another one looks, at the wrong moment. */
export const killMutants: Readonly<Record<string, Mutant>> = {
  warns_of_torn_tail: {
    bug: "warns of a batch that its killed writer left half written",
    expected: "append() of a large batch whose process is killed in the middle keeps all or none",
    related: /killed in the middle/,
    async open(directory, { onWarning }) {
      const inner = await LogStore.open(directory, onWarning);
      return replaced(inner, {
        async *read() {
          yield* inner.read();
          for (const name of await readdir(directory)) {
            const path = join(directory, name);
            if (!name.endsWith(".log") || isAlive(name) || !await isTorn(path)) continue;
            onWarning({ message: `${path} has a torn tail`, subject: path });
          }
        },
      });
    },
  },
  fills_manifest_late: mutated(
    {
      bug: "creates the manifest before it writes it",
      expected: "manifest() is the same for processes that race for it",
      related: /manifest\(\) is the same for all/,
    },
    (inner, directory) => ({
      async manifest(proposed) {
        // An empty append tells whether the store is closed.
        await inner.append([]);
        const path = join(directory, "manifest");
        await writeFile(path, proposed, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
          if (cause.code !== "EEXIST") throw cause;
        });
        return await readFile(path, "utf8");
      },
    }),
  ),
};
