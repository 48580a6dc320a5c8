import type { CheckpointStore } from "../mod.ts";
import type { Harness } from "../test/conformance/mod.ts";

/** Opens a store on a checkpoint that gives no cause for warnings; a warning is an error here. */
export function openHarness(harness: Harness, directory: string): Promise<CheckpointStore> {
  return harness.open(directory, {
    onWarning: ({ message }) => {
      throw new Error(message);
    },
  });
}
