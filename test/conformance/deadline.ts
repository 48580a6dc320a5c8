/** How long a case may take before the store counts as hung, in milliseconds. */
export const CASE_DEADLINE = 60_000;

/**
 * Rejects when a step takes longer than it may.
 * @param what The step, before "did not end within".
 */
export async function inTime(
  step: Promise<unknown>,
  deadline: number,
  what: string,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what} did not end within ${deadline / 1000} s`);
    timer = setTimeout(reject, deadline, error);
  });
  try {
    await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
    step.catch(() => {});
  }
}
