import { messageOf, printable, TidemarkError } from "../../core/errors.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { Harness, OpenOptions } from "./case.ts";
import { CASE_DEADLINE, inTime } from "./deadline.ts";
import { TemporaryCheckpoints } from "./temporary_checkpoints.ts";

/** Opens a harness's store. What its open() throws is a rejection, asynchronous or not. */
export async function openStoreOf(
  harness: Harness,
  directory: string,
  options: OpenOptions,
): Promise<CheckpointStore> {
  const store = await harness.open(directory, options);
  if (typeof store?.append !== "function") {
    throw new TypeError("open() gave no store, or a promise of none");
  }
  return store;
}

/**
 * Opens a harness's store once on a fresh checkpoint and closes it, to see whether there is
 * anything to test or to measure.
 * @param deadline How long it may take, in milliseconds. @default 60000
 * @throws {TidemarkError} `DRIVER_MISSING` when a package that the store needs is not installed;
 * `CHECKPOINT_OPEN` when it cannot be opened otherwise.
 */
export async function openOnce(harness: Harness, deadline: number = CASE_DEADLINE): Promise<void> {
  await using checkpoints = await TemporaryCheckpoints.create(harness);
  const opening = openStoreOf(harness, checkpoints.another(), { onWarning: () => {} });
  try {
    await inTime(opening, deadline, "open()");
  } catch (cause) {
    // By its code, because a store may come with another copy of Tidemark.
    if ((Object(cause) as { code?: unknown }).code === "DRIVER_MISSING") throw cause;
    throw new TidemarkError(
      "CHECKPOINT_OPEN",
      `the store ${printable(harness.name)} cannot be opened: ${
        printable(messageOf(cause), 1_000)
      }`,
      { cause, subject: harness.name },
    );
  }
  // How a store is closed is for the cases to judge.
  await Promise.allSettled([inTime((await opening).close(), deadline, "close()")]);
}
