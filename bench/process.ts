import process from "node:process";
import { fileURLToPath } from "node:url";

/** The command line that runs one of our modules in a process of its own. */
export interface ModuleCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How to run the module beside this one with the same runtime. It can ask for collections of
 * garbage.
 * @param name The module's name without its extension, which is that of this module.
 */
export function moduleCommand(name: string, args: readonly string[]): ModuleCommand {
  const here = import.meta.url;
  const url = new URL(`./${name}${here.slice(here.lastIndexOf("."))}`, here);
  const module = url.protocol === "file:" ? fileURLToPath(url) : url.href;
  // Not this process's own flags: `node --eval` would run its script, and that us, without end.
  const flags = "Deno" in globalThis
    ? ["run", "-A", "--quiet", "--v8-flags=--expose-gc"]
    : ["--expose-gc"];
  return { command: process.execPath, args: [...flags, module, ...args] };
}

/** Live bytes of the heap and of what it refers to, after a collection. */
export function liveMemory(): number {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error("the process was started without --expose-gc");
  gc();
  // The second one waits until the first has given back what buffers held.
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
