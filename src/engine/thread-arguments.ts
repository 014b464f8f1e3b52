/**
 * What Node is told when a thread is started: as this process was, but for what only a program on the command line may be
 * told (`node --input-type=module -e ...`).
 */
export function threadArguments(): string[] {
  return process.execArgv.filter((word) => !word.startsWith('--input-type'));
}
