/** Opens the store of a harness module and does what standard input says, line by line. */
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { messageOf } from "../../core/errors.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import type { CheckpointStore } from "../../core/store.ts";
import { loadHarness } from "./load_harness.ts";
import { numberedRange, readNumbers } from "./records.ts";
import {
  type Answer,
  type Command,
  encodeAnswer,
  type Leftovers,
  type Survey,
} from "./store_process.ts";

const [module, directory] = process.argv.slice(2) as [string, string];
const warned: string[] = [];

function say(answer: Answer): void {
  process.stdout.write(encodeAnswer(answer));
}

async function survey(store: CheckpointStore): Promise<Survey> {
  const records = [];
  const damaged = new Set<string>();
  for await (const batch of store.read()) {
    for (const bytes of batch.records) {
      const record = decodeRecord(bytes);
      if (typeof record === "string") damaged.add(batch.origin);
      else records.push(record);
    }
  }
  return { records, named: [...warned, ...damaged] };
}

/** This process's handles with what they lead to; only Linux tells. */
async function openHandles(): Promise<{ handle: string; target: string }[] | undefined> {
  const links = await readdir("/proc/self/fd").catch(() => undefined);
  return links && await Promise.all(links.map(async (link) => {
    const target = await readlink(`/proc/self/fd/${link}`).catch(() => "");
    return { handle: `${link} ${target}`, target };
  }));
}

/** Some drivers' handles pass to every process that is started. */
const inherited = new Set((await openHandles())?.map(({ handle }) => handle));

/** What of this checkpoint this process still holds. */
async function leftovers(): Promise<Leftovers> {
  const root = await realpath(directory).catch(() => directory);
  const handles = await openHandles();
  const children = await readFile(`/proc/self/task/${process.pid}/children`, "utf8")
    .catch(() => undefined);
  return {
    files: handles
      ?.filter(({ handle, target }) => target.startsWith(root) && !inherited.has(handle))
      .map(({ target }) => target),
    processes: children?.split(" ").filter((pid) => pid.trim() !== "").length,
  };
}

async function flood(
  store: CheckpointStore,
  { count, length, watched }: Extract<Command, { readonly do: "flood" }>,
): Promise<never> {
  const watcher = watched ? await open() : undefined;
  for (let start = 0;; start += count) {
    await store.append(numberedRange(start, count, length));
    say({ durable: start + count });
    if (watcher !== undefined) await readNumbers(watcher);
  }
}

async function race(
  { checkpoint, text, times, at }: Extract<Command, { readonly do: "race" }>,
): Promise<string> {
  await using store = await open(checkpoint);
  const proposed = text.repeat(times);
  // Nothing but looking at the clock meets a moment that well.
  while (performance.timeOrigin + performance.now() < at);
  const standing = await store.manifest(proposed);
  const repeated = standing.slice(0, text.length);
  return standing === repeated.repeat(times)
    ? repeated
    : `${standing.length} of ${proposed.length} characters`;
}

async function obey(store: CheckpointStore, command: Command): Promise<Answer> {
  switch (command.do) {
    case "append":
      await store.append(numberedRange(command.start, command.count, command.length));
      return {};
    case "state":
      await store.append(command.records.map(encodeRecord));
      return {};
    case "flood":
      return await flood(store, command);
    case "read":
      return { numbers: await readNumbers(store) };
    case "manifest":
      return { manifest: await store.manifest(command.text) };
    case "race":
      return { manifest: await race(command) };
    case "survey":
      return { survey: await survey(store) };
    case "close":
      await store.close();
      return { leftovers: await leftovers() };
  }
}

const harness = await loadHarness(module);
const open = (checkpoint = directory) =>
  harness.open(checkpoint, {
    onWarning: ({ message, subject }) => void warned.push(`${message} ${subject ?? ""}`),
  });
const store = await open();
say({});
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const command = JSON.parse(line) as Command;
  try {
    say(await obey(store, command));
  } catch (thrown) {
    const { code } = thrown as { code?: unknown };
    const message = messageOf(thrown);
    say({ error: typeof code === "string" ? { message, code } : { message } });
  }
  if (command.do === "close") break;
}
// From here on only the store could keep this process alive.
lines.close();
process.stdin.destroy();
