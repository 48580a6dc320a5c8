import type { Harness } from "../case.ts";
import { configuredHarness } from "./configured_harness.ts";

const harness: Harness = configuredHarness(
  {
    name: "memory",
    capabilities: { durable: false, shared: true, files: false },
    module: import.meta.url,
  },
  (directory) => `memory:${directory}`,
);

export default harness;
