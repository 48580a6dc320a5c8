import { existsSync, readFileSync, realpathSync } from "node:fs";
import { availableParallelism, cpus, platform, release, tmpdir, totalmem } from "node:os";
import process from "node:process";

/** What figures were measured on. */
export interface Machine {
  readonly runtime: string;
  readonly cpu: string;
  readonly cores: number;
  /** Installed memory in bytes. */
  readonly memory: number;
  readonly system: string;
  /** The kind of file system that the temporary directory is on, where the system tells. */
  readonly fileSystem: string;
}

/** The runtime and machine that this process runs on. */
export function machine(): Machine {
  const deno = process.versions["deno"];
  return {
    runtime: deno === undefined ? `Node ${process.versions.node}` : `Deno ${deno}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: totalmem(),
    system: `${platform()} ${release()}`,
    fileSystem: fileSystemOf(tmpdir()),
  };
}

function fileSystemOf(path: string): string {
  if (!existsSync("/proc/mounts")) return "unknown";
  const real = `${realpathSync(path)}/`;
  let longest = "";
  let kind = "unknown";
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [, mount = "", type = ""] = line.split(" ");
    const prefix = mount.endsWith("/") ? mount : `${mount}/`;
    if (mount === "" || prefix.length < longest.length || !real.startsWith(prefix)) continue;
    longest = prefix;
    kind = type;
  }
  return kind;
}

/** The machine in one line. */
export function machineText(it: Machine): string {
  const memory = `${(it.memory / 2 ** 30).toFixed(0)} GiB`;
  return `${it.runtime}, ${it.cores} × ${it.cpu}, ${memory}, ${it.system}, ` +
    `temporary files on ${it.fileSystem}`;
}
