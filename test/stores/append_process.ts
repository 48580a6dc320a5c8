import process from "node:process";
import { openStore, parseStoreConfig } from "../../stores/open_store.ts";
import { numberedRange } from "../conformance/records.ts";

const [config, batch, batches] = process.argv.slice(2).map((text) => JSON.parse(text));
const store = await openStore(parseStoreConfig(config));
for (let done = 0; done < batches; done++) {
  await store.append(numberedRange(done * batch, batch, 60));
  process.stdout.write(`${(done + 1) * batch}\n`);
}
for await (const _ of process.stdin) {
  // It ends when whoever started this process says so.
}
await store.close();
