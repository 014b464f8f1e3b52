/** JSON lines of one type. */
export function linesOf(stdout: string, type: string): Record<string, unknown>[] {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter((line) => line['type'] === type);
}
