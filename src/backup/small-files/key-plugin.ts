import type { KeyPlugin } from '../../ui/reporter.js';

const KEY_PLUGIN = /key|kms|vault/i;
const PLACE = /(?:_filename|_file_data|_config|_url|_region)$/;

/**
 * The plugin that `backup-my.cnf` loads for the prepare, which cannot read encrypted pages or logs without it.
 *
 * @param config its values
 * @returns undefined where it names none
 */
export function keyPlugin(config: ReadonlyMap<string, string>): KeyPlugin | undefined {
  const loaded = ['plugin_load', 'plugin-load', 'early-plugin-load'].map((key) => config.get(key) ?? '').join(';');
  // As `file_key_management=file_key_management.so;other.so`.
  const names = loaded.split(/[;,]/).map((part) =>
    part
      .split('=')
      .at(-1)!
      .trim()
      .replace(/^"|"$|\.so"?$/g, ''),
  );
  const name = names.find((candidate) => KEY_PLUGIN.test(candidate));
  if (name !== undefined) {
    const own = [...config].filter(([key, value]) => key.startsWith(name) && PLACE.test(key) && value !== '');
    return { name, settings: own.map(([key, value]) => `${key}=${value}`) };
  }
  // MySQL's keyrings are components, which that file does not name; a master key was in use.
  return Number(config.get('master_key_id') ?? 0) > 0 ? { name: 'keyring', settings: [] } : undefined;
}
