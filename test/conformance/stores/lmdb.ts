import type { Harness } from "../case.ts";
import { configuredHarness } from "./configured_harness.ts";

const harness: Harness = configuredHarness(
  {
    name: "lmdb",
    capabilities: { durable: true, shared: true, files: true },
    module: import.meta.url,
  },
  (path) => ({ store: "lmdb", path }),
);

export default harness;
