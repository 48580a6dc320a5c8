/**
 * A store of one's own under test and as a checkpoint:
 * `tidemark conformance examples/log_store/mod.ts`, `tidemark bench examples/log_store/mod.ts`.
 */
import type { Harness } from "../../test/conformance/mod.ts";
import { LogStore } from "./log_store.ts";

const harness: Harness = {
  name: "log",
  capabilities: { durable: true, shared: true, files: true },
  module: import.meta.url,
  open: (directory, { onWarning }) => LogStore.open(directory, onWarning),
};

export default harness;
