/** What the command's exit codes mean. */
export const EXIT = {
  done: 0,
  /** The run finished or was given up with sources that did not complete. */
  failures: 1,
  /** The command line, the module or the configuration is at fault. */
  usage: 2,
  /** The run was asked to stop. */
  interrupted: 130,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
