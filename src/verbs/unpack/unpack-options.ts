/** What can be told to the verbs that read all of an archive in one way, and unpack or verify what is in it. */
import type { InputChoice } from '../../input/open-source.js';
import { pick, reworded, typed, type Told } from '../options/option.js';
import { COMMON, DECODING, OPTIONS, READING, SELECTION } from '../options/table.js';

export const EXTRACT_OPTIONS = {
  ...pick(OPTIONS, 'decompress', 'createTarget', 'existing', 'stripComponents', 'dryRun', 'fsync', 'owner'),
  ...pick(
    OPTIONS,
    'keepGoing',
    'removePartial',
    'allowSymlinks',
    'index',
    'digests',
    'manifest',
    'allowEmpty',
    'backup',
    'json',
  ),
  ...pick(OPTIONS, ...SELECTION),
  ...pick(OPTIONS, ...DECODING),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  directory: typed(OPTIONS.directory),
};

/** Everything an extraction can be told. */
export interface ExtractOptions extends Told<typeof EXTRACT_OPTIONS> {
  input: InputChoice;
  /** The directory to unpack into. */
  target: string;
  /** As xbstream does: what stays encrypted is worth a warning only, and nothing is said of success. */
  asXbstream?: boolean;
}

export const VERIFY_OPTIONS = {
  ...pick(OPTIONS, 'tee', 'deep', 'digests', 'manifest', 'info', 'overwrite', 'allowEmpty', 'backup', 'format', 'json'),
  ...pick(OPTIONS, 'shard', 'merge', 'archive'),
  ...pick(OPTIONS, ...DECODING),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  index: reworded(OPTIONS.madeIndex, {
    index:
      'write to FILE an index of the archive, by which list, info, cat and extract read only what they need of it; with --shard --deep, read the archive by this one',
  }),
  overwrite: reworded(OPTIONS.overwrite, {
    overwrite: 'replace FILE of --manifest, --index and --info when the new one is whole',
  }),
  key: reworded(OPTIONS.key, {
    'encrypt-key': 'with --deep or --info: decrypt .xbcrypt files with KEY; taken off the process list at once',
    'encrypt-key-file':
      'with --deep or --info: decrypt .xbcrypt files with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does',
  }),
  allowEncrypted: reworded(OPTIONS.allowEncrypted, {
    'allow-encrypted': 'with --deep and no key: encrypted files need not be looked into',
  }),
};

/** Everything a verification can be told. */
export interface VerifyOptions extends Told<typeof VERIFY_OPTIONS> {
  input: InputChoice;
}
