import { Unavailable } from "./scenario.ts";

/**
 * Imports a package that only a baseline needs.
 * @throws {Unavailable} when it is not installed.
 */
export async function optionalModule<T>(name: string): Promise<T> {
  try {
    return await import(name) as T;
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw cause;
    throw new Unavailable(`${name} is not installed`);
  }
}
