/**
 * What Node is told when a thread is started: nothing, which means as this process was; but a thread must not be told what
 * only a program on the command line may be (`node --input-type=module -e ...`), nor does it take V8's own options then.
 */
export function threadArguments(): { execArgv?: string[] } {
  return process.execArgv.some((word) => word.startsWith('--input-type')) ? { execArgv: [] } : {};
}
