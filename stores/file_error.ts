import { type ErrorCode, messageOf, printable, TidemarkError } from "../core/errors.ts";

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "no permission: check who owns it and its mode",
  EDQUOT: "the disk quota is used up: free some space and run again",
  EEXIST: "there is a file where a directory is needed: choose another checkpoint path",
  EFBIG: "the file would become larger than the system allows",
  EIO: "the disk reported an input/output error: check the disk",
  EISDIR: "it is a directory: move it away",
  ELOOP: "too many symbolic links",
  EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
  ENAMETOOLONG: "the path is too long: choose a shorter one",
  ENFILE: "too many files are open on this machine",
  ENOENT: "it does not exist",
  ENOSPC: "no space is left on the disk: free some space and run again",
  ENOTDIR: "a part of the path is a file: choose another checkpoint path",
  EPERM: "the system does not permit it: check who owns it and how it is mounted",
  EROFS: "the file system is read-only: choose a checkpoint path that can be written",
  ESTALE: "the network file system lost it: check the mount",
};

/** The system's code of an error (`ENOSPC`), if it has one. */
export function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Why something failed and what to do about it. */
export function reasonOf(thrown: unknown): string {
  const code = errnoOf(thrown);
  const advice = code === undefined ? undefined : ADVICE[code];
  return advice === undefined ? printable(messageOf(thrown)) : `${advice} (${code})`;
}

/** An error that says what could not be done with which path, why, and what to do. */
export function fileError(
  code: ErrorCode,
  failed: string,
  path: string,
  cause: unknown,
): TidemarkError {
  return new TidemarkError(code, `${failed} ${printable(path)}: ${reasonOf(cause)}`, {
    cause,
    subject: path,
  });
}
