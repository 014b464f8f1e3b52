/** Bounds for what another program's JSON may bring along. */
const MAX_DEPTH = 8;
const MAX_VALUES = 10_000;

/**
 * The values of `backup_metadata.json` (xtrabackup 9.7), by the names that `xtrabackup_info` and `xtrabackup_checkpoints`
 * have for them, wherever they stand in it. Files that are no such JSON have none.
 */
export function parseMetadata(text: string): Map<string, string> {
  const values = new Map<string, string>();
  try {
    collect(JSON.parse(text), 0, values);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return values;
}

function collect(value: unknown, depth: number, values: Map<string, string>): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  for (const [key, inner] of Object.entries(value)) {
    if (values.size === MAX_VALUES) return;
    if (typeof inner === 'object') collect(inner, depth + 1, values);
    else if (!values.has(snakeCase(key))) values.set(snakeCase(key), plain(inner));
  }
}

function plain(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Y' : 'N';
  return String(value);
}

function snakeCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase();
}
