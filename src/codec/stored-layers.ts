/** The layers of a stored file (compression, encryption), by the suffixes of its name. */
import { rawPath, type StoredPath } from '../format/stored-path.js';
import { XbstreamError } from '../errors.js';
import type { LayerName } from './codec.js';

const ENCRYPTION_SUFFIX = '.xbcrypt';

const COMPRESSION_SUFFIXES: readonly (readonly [suffix: string, layer: LayerName])[] = [
  ['.zst', 'zstd'],
  ['.lz4', 'lz4'],
  ['.qp', 'qpress'],
];

/** Which kinds of layer are to be undone. */
export interface LayerChoice {
  decrypt: boolean;
  decompress: boolean;
}

/** What is to be done to a stored file, and what it is called then. */
export interface StoredLayers {
  /** Outermost first: the order in which they are undone. */
  layers: LayerName[];
  /** The name without the suffixes of these layers. */
  finalName: StoredPath;
}

function split(name: string, choice: LayerChoice): StoredLayers {
  const layers: LayerName[] = [];
  let finalName: string = name;
  if (choice.decrypt && finalName.endsWith(ENCRYPTION_SUFFIX)) {
    layers.push('xbcrypt');
    finalName = finalName.slice(0, -ENCRYPTION_SUFFIX.length);
  }
  // Not of `f.lz4.xbcrypt` while its encryption stays: that name does not end in `.lz4`.
  const compression = choice.decompress
    ? COMPRESSION_SUFFIXES.find(([suffix]) => finalName.endsWith(suffix))
    : undefined;
  if (compression) {
    layers.push(compression[1]);
    finalName = finalName.slice(0, -compression[0].length);
  }
  return { layers, finalName: rawPath(finalName) };
}

/** All layers that a stored name's suffixes tell of, outermost first (format.md, "Names as xtrabackup writes them"). */
export function allLayersOf(name: string): LayerName[] {
  return split(name, { decrypt: true, decompress: true }).layers;
}

const CHOICES: readonly LayerChoice[] = [
  { decrypt: true, decompress: true },
  { decrypt: true, decompress: false },
  { decrypt: false, decompress: false },
];

/** The names that a stored file has as its layers are undone, and what of them is then: the most decoded first. */
export function namesWhileDecoded(name: StoredPath): { name: StoredPath; choice: LayerChoice }[] {
  const names = CHOICES.map((choice) => ({ name: split(name, choice).finalName, choice }));
  // The one that undoes least of those that give the same name: there is nothing to decrypt where nothing is encrypted.
  return names.filter((found, index) => found.name !== names[index + 1]?.name && !isNoName(found.name));
}

/** Whether nothing that can name a file is left: `d/...zst` without its suffix would be the directory above `d`. */
function isNoName(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path);
}

/**
 * Chooses by its last suffixes what is undone of a stored file (format.md, "Names as xtrabackup writes them"). There is
 * at most one encryption, outermost, and one compression. Suffixes are case-sensitive.
 *
 * @param name a stored path, one character a byte
 * @throws XbstreamError `XB_UNSAFE_PATH` when nothing that can name a file is left of it
 */
export function layersOf(name: StoredPath, choice: LayerChoice): StoredLayers {
  const found = split(name, choice);
  if (found.layers.length > 0 && isNoName(found.finalName)) {
    throw new XbstreamError(
      'XB_UNSAFE_PATH',
      'a stored name is nothing but a suffix, so no file name is left after decoding',
      {
        path: name,
        hints: ['without --decompress and --decrypt the file is unpacked as it is'],
      },
    );
  }
  return found;
}
