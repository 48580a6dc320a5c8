import type { Harness } from "../case.ts";
import { configuredHarness } from "./configured_harness.ts";

const harness: Harness = configuredHarness(
  {
    name: "node:sqlite",
    capabilities: { durable: true, shared: true, files: true },
    module: import.meta.url,
  },
  (path) => ({ store: "sqlite", path, driver: "node:sqlite" }),
);

export default harness;
