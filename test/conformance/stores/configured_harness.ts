import { openStore, type StoreConfig } from "../../../stores/open_store.ts";
import type { Harness } from "../case.ts";

/** The harness of a store that {@link openStore} knows. */
export function configuredHarness(
  harness: Omit<Harness, "open">,
  configOf: (directory: string) => StoreConfig,
): Harness {
  return {
    ...harness,
    open: (directory, { onWarning }) => openStore(configOf(directory), onWarning),
  };
}
