/** Whether a version is that one or a later one. Undefined where there is none. */
export function isFrom(version: string | undefined, ...than: readonly number[]): boolean | undefined {
  const found = /\d{1,4}(?:\.\d{1,4}){1,2}/.exec(version ?? '')?.[0];
  if (found === undefined) return undefined;
  const numbers = found.split('.').map(Number);
  const at = than.findIndex((number, index) => (numbers[index] ?? 0) !== number);
  return at === -1 || (numbers[at] ?? 0) > than[at]!;
}
