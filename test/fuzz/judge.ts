/** Holds what a way made of an archive against what the second reader says of it. */
import { Buffer } from 'node:buffer';
import { bytesOfContent, NAME_MAX, readArchive, type Content, type Reading } from './oracle.js';
import { BadLayer, decodedName, decodeStored, Unsure, type OracleKey } from './oracle-layers.js';
import type { Original } from './mutate.js';
import type { Found, Result, Way } from './ways.js';

/** Content beyond this is not decoded, nor made into a tar. */
export const LARGE_BYTES = 32 * 1024 * 1024;
/** What Node, a lane and its buffers take, with much room. */
const PEAK_BYTES_MAX = 600e6;
const EXIT_CODES = [0, 1, 3, 4, 5];

/** What may become of an archive. */
interface Verdict {
  accepts: 'yes' | 'no' | 'either';
  /** Exit codes for a refusal; undefined where any of the table will do. */
  classes: ReadonlySet<number> | undefined;
  why: string;
  /** What the files are when it is accepted, by name. */
  whole: ReadonlyMap<string, Content>;
  /** What a name may hold when it is refused. */
  known: ReadonlyMap<string, readonly Content[]>;
  /** Names of which the format does not say what they hold. */
  unsure: ReadonlySet<string>;
  /** Each name of `known` has to be there. */
  isExact: boolean;
  /** An empty file may have the name of another. */
  mayBeEmpty?: boolean;
}

/** What is known of one archive; worked out as it is asked for. */
export class Judge {
  readonly strict: Reading;
  readonly #loose: Reading;
  /** What the archive was; undefined where that is not known, or a damage may be that of a correction. */
  readonly #original: Reading | undefined;
  readonly #isBit: boolean;
  /** What salvage must save: it is certain that nothing else was damaged. */
  readonly #spared: ReadonlyMap<string, Content>;
  readonly #key: OracleKey;
  readonly #decoded = new Map<Content, Map<string, Promise<Content | Error>>>();

  /** @param original the archive before it was damaged, where that was all that was done to it */
  constructor(bytes: Buffer, key: OracleKey, original: Original | undefined) {
    this.strict = readArchive(bytes);
    this.#loose = this.strict.damage === undefined ? this.strict : readArchive(bytes, true);
    this.#original = original && plainReading(original.bytes);
    this.#isBit = original?.kind === 'bit';
    this.#spared = original === undefined ? new Map() : spared(original, this.#original);
    this.#key = key;
  }

  /** Whether there is so much in it that not every way can be gone. */
  get isLarge(): boolean {
    const contents = [...this.#loose.everWhole.values()].flat();
    return contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > LARGE_BYTES;
  }

  /**
   * @param isBehindDamage what the archive was wrapped in was damaged: then all of it must have come, or the run must not end well
   * @returns what is wrong; undefined where all is as it must be
   */
  async fault(way: Way, result: Result, isBehindDamage = false): Promise<string | undefined> {
    if (result.code === undefined) return undefined;
    if (!EXIT_CODES.includes(result.code)) return `exit code ${result.code}: ${result.said}`;
    if ((result.peakBytes ?? 0) > PEAK_BYTES_MAX) return `${result.peakBytes} bytes of memory`;
    if (isBehindDamage && result.code !== 0) return undefined;
    const verdict = await this.#verdict(way);
    const isAccepted = result.code === 0;
    if (isAccepted && verdict.accepts === 'no') return `accepted, though: ${verdict.why}`;
    if (!isAccepted && verdict.accepts === 'yes') return `refused with ${result.code}: ${result.said}`;
    if (!isAccepted && verdict.accepts === 'no' && verdict.classes?.has(result.code) === false) {
      return `exit code ${result.code}, not ${[...verdict.classes].join(' or ')} (${verdict.why}): ${result.said}`;
    }
    if (result.sizes !== undefined && isAccepted) return wrongSizes(this.#loose.sizes, result.sizes);
    if (result.files === undefined) return undefined;
    if (way.gives === 'stream') return isAccepted ? wrongStream(verdict.whole, result.files.get('')!) : undefined;
    const isTar = way.gives === 'tar';
    if (isAccepted) return wrongTree(verdict, result.files, isTar);
    const salvages = way.reads === 'all there is' && way.gives === 'directory' && !way.decodes;
    return wrongNames(verdict, result.files) ?? (salvages ? notSaved(this.#spared, result.files) : undefined);
  }

  async #verdict(way: Way): Promise<Verdict> {
    const { strict } = this;
    const verdict = way.reads === 'headers' ? this.#byHeaders() : this.#asStored(way);
    if (way.gives === 'directory' && way.reads !== 'headers') this.#inTarget(verdict);
    if (way.decodes) return this.#whenDecoded(verdict, way);
    const isPiped = way.name.includes('pipe');
    // A pattern that matches nothing is told by a code that goes before others.
    if (way.gives === 'stream' && verdict.whole.size === 0 && verdict.accepts === 'yes') verdict.accepts = 'either';
    if (way.gives === 'stream') verdict.classes &&= new Set([...verdict.classes, 1]);
    const isOutOfOrder = [...strict.everWhole.values()].flat().some(({ isInOrder }) => !isInOrder);
    // What has gone to stdout cannot be taken back: that comes before what is damaged further on.
    const isTakenBack = way.gives === 'stream' && strict.corrections > 0;
    if (isPiped && isPassedOn(way) && (isOutOfOrder || isTakenBack)) {
      return { ...verdict, accepts: verdict.accepts === 'yes' ? 'either' : verdict.accepts, classes: undefined };
    }
    return verdict;
  }

  #asStored(way: Way): Verdict {
    const { damage, files } = this.strict;
    const loose = this.#loose;
    const verdict: Verdict = {
      accepts: damage === undefined ? 'yes' : 'no',
      classes: way.reads === 'in order' ? damage?.classes : undefined,
      why: damage?.why ?? '',
      whole: isPassedOn(way) ? loose.files : files,
      unsure: new Set(),
      known: new Map([...files].map(([path, content]) => [path, [content]])),
      isExact: way.gives === 'memory',
    };
    if (way.reads === 'in order') return verdict;
    if (way.reads === 'by file') return { ...verdict, known: loose.everWhole };
    // Content that was corrected is not looked at where it need not be read.
    const isUnread = isPassedOn(way) && onlyContent(loose) && !loose.holdsBad;
    if (isUnread) verdict.accepts = 'either';
    // Salvage: what was there before the damage, or what is there now.
    const all = new Map([...loose.everWhole].map(([path, contents]) => [path, [...contents]]));
    for (const [path, contents] of this.#original?.everWhole ?? [])
      all.set(path, [...(all.get(path) ?? []), ...contents]);
    const isKnown = loose.damage === undefined || this.#original !== undefined || onlyContent(loose);
    // An end chunk alone is an empty file; that one bit of a name was changed can be seen, and more cannot.
    const mayBeEmpty = loose.damage !== undefined && !onlyContent(loose) && !this.#isBit;
    return { ...verdict, known: isKnown ? all : ANYTHING, isExact: false, mayBeEmpty };
  }

  /** Headers alone do not tell of content. */
  #byHeaders(): Verdict {
    const { damage, files } = this.#loose;
    const isBadContent = damage !== undefined && onlyContent(this.#loose);
    return {
      accepts: damage === undefined ? 'yes' : isBadContent ? 'either' : 'no',
      ...{
        classes: undefined,
        why: damage?.why ?? '',
        whole: files,
        unsure: new Set(),
        known: ANYTHING,
        isExact: false,
      },
    };
  }

  /** What a directory takes beside what the format says. */
  #inTarget(verdict: Verdict): void {
    const { everWhole, correctsNoFile, damage } = this.strict;
    const isLong = [...everWhole.keys()].some((path) => path.split('/').some(({ length }) => length > NAME_MAX));
    if (!isLong && !correctsNoFile && damage === undefined) return;
    // Names of files that never became whole may be too long, too.
    if (isLong || correctsNoFile) verdict.accepts = verdict.accepts === 'yes' ? 'either' : verdict.accepts;
    if (verdict.classes !== undefined) verdict.classes = new Set([...verdict.classes, 1]);
  }

  async #whenDecoded(verdict: Verdict, way: Way): Promise<Verdict> {
    const { strict } = this;
    const whole = new Map<string, Content>();
    const known = new Map<string, Content[]>();
    const unsure = new Set<string>();
    let { accepts, why } = verdict;
    let clashes: string | undefined;
    const doubt = (reason: string): void => {
      if (accepts === 'yes') [accepts, why] = ['either', reason];
    };
    const refuse = (reason: string): void => {
      if (accepts !== 'no') [accepts, why] = ['no', reason];
    };
    if (strict.renamesLayers) doubt('a file is renamed to one with other layers');
    for (const [path, contents] of verdict.known) {
      for (const content of contents) {
        const decoded = await this.#decode(path, content);
        const { name } = decodedName(path, true);
        if (decoded instanceof Unsure) unsure.add(name);
        const isLast = strict.files.get(path) === content;
        if (!(decoded instanceof Error)) known.set(name, [...(known.get(name) ?? []), decoded]);
        else if (isLast && decoded instanceof BadLayer && !strict.renamesLayers) refuse(`${path}: ${decoded.message}`);
        else doubt(`${path}: ${decoded.message}`);
      }
    }
    for (const [path, contents] of strict.everWhole) {
      for (const content of contents) {
        if (strict.files.get(path) === content) continue;
        const decoded = await this.#decode(path, content);
        if (decoded instanceof Error) doubt(`${path}, which was corrected: ${decoded.message}`);
      }
    }
    for (const [path, content] of verdict.whole) {
      const { name } = decodedName(path, true);
      const decoded = await this.#decode(path, content);
      if (/(^|\/)\.{0,2}$/.test(name)) refuse(`${path} is nothing but a suffix`);
      if (whole.has(name)) clashes = `two files are ${name}`;
      if (decoded instanceof Error) unsure.add(name);
      else whole.set(name, decoded);
    }
    const names = [...strict.everWhole.keys()].map((path) => decodedName(path, true).name);
    // Only where files are made it matters that two want one name.
    const clash = way.gives === 'nothing' ? doubt : refuse;
    if (clashes !== undefined || hasClash([...whole.keys()])) clash(clashes ?? 'a file is a directory');
    if (new Set(names).size < names.length || hasClash(names)) doubt('names clash for a time');
    const isShared = way.reads === 'by file';
    if (isShared && why.includes('order')) accepts = 'either';
    return {
      accepts,
      why,
      classes: undefined,
      whole,
      unsure,
      mayBeEmpty: verdict.mayBeEmpty ?? false,
      known: verdict.known === ANYTHING ? ANYTHING : known,
      isExact: false,
    };
  }

  #decode(path: string, content: Content): Promise<Content | Error> {
    const { isEncrypted, suffix } = decodedName(path, true);
    const layers = `${suffix}${isEncrypted}`;
    const known = this.#decoded.get(content) ?? new Map<string, Promise<Content | Error>>();
    this.#decoded.set(content, known);
    const found = known.get(layers) ?? this.#decodeNow(path, content, suffix !== '' || isEncrypted);
    known.set(layers, found);
    return found;
  }

  async #decodeNow(path: string, content: Content, isLayered: boolean): Promise<Content | Error> {
    if (!isLayered) return content;
    if (content.sizeBytes > LARGE_BYTES) return new Unsure('large');
    if (!content.isInOrder) return new Unsure('content comes out of order');
    try {
      const bytes = await decodeStored(path, bytesOfContent(content), this.#key);
      return { sizeBytes: bytes.length, parts: [{ at: 0, bytes }], isInOrder: true };
    } catch (error) {
      if (error instanceof BadLayer || error instanceof Unsure) return error;
      throw error;
    }
  }
}

const ANYTHING: ReadonlyMap<string, readonly Content[]> = new Map();

/** Content goes on to somebody else, in the archive's order, and what is corrected is not part of it. */
function isPassedOn({ gives }: Way): boolean {
  return gives === 'tar' || gives === 'stream';
}

/** Of an archive that is whole, and has no file twice. */
function plainReading(bytes: Buffer): Reading | undefined {
  const reading = readArchive(bytes);
  const isPlain = reading.corrections === 0 && [...reading.everWhole.values()].every(({ length }) => length === 1);
  return reading.damage === undefined && isPlain ? reading : undefined;
}

/** A larger chunk is not looked through for bytes that were put in. */
const LOOKED_THROUGH_BYTES = 8 * 1024 * 1024;

/**
 * All files but the one whose content was changed, or had bytes put in, within a chunk (format.md, "Which files are whole"): a
 * checksum tells of either.
 */
function spared({ bytes, kind, at }: Original, reading: Reading | undefined): ReadonlyMap<string, Content> {
  const isTold = kind === 'bit' || kind === 'byte' || kind === 'in';
  if (reading === undefined || !isTold) return new Map();
  const isTouched = ({ parts }: Content): boolean =>
    parts.some(({ bytes: part }) => {
      const from = part.byteOffset - bytes.byteOffset;
      return from <= at && at < from + part.length && part.length < LOOKED_THROUGH_BYTES && !part.includes('XBSTCK01');
    });
  const touched = [...reading.files].find(([, content]) => isTouched(content));
  const isNamed = (path: string): boolean => path.split('/').every(({ length }) => length <= NAME_MAX);
  return new Map(
    touched === undefined ? [] : [...reading.files].filter(([path]) => path !== touched[0] && isNamed(path)),
  );
}

function notSaved(files: ReadonlyMap<string, Content>, found: ReadonlyMap<string, Found>): string | undefined {
  for (const name of files.keys()) if (!found.has(name)) return `${JSON.stringify(name)} is whole, and was not saved`;
  return undefined;
}

/** Whether what is wrong is in the content of files, while all headers can be read. */
function onlyContent({ damage }: Reading): boolean {
  return damage?.why === 'a checksum does not hold';
}

function hasClash(names: readonly string[]): boolean {
  const files = new Set(names);
  return names.some((name) => {
    const parts = name.split('/');
    return parts.some((_, index) => index > 0 && files.has(parts.slice(0, index).join('/')));
  });
}

function isSame({ sizeBytes, parts }: Content, found: Found): boolean {
  if (sizeBytes !== found.sizeBytes || !parts.every(({ at, bytes }) => found.holds(at, bytes))) return false;
  if (sizeBytes <= LARGE_BYTES) return found.holds(0, bytesOfContent({ sizeBytes, parts, isInOrder: true }));
  // Holes stay holes.
  const storedBytes = parts.reduce((sum, { bytes }) => sum + bytes.length + 8192, 0);
  return (found.storedBytes ?? 0) <= storedBytes;
}

function wrongTree({ whole, unsure }: Verdict, files: ReadonlyMap<string, Found>, isTar: boolean): string | undefined {
  const nameOf = (path: string): string => (isTar ? Buffer.from(path, 'latin1').toString('utf8') : path);
  const names = new Set([...whole.keys()].map(nameOf));
  for (const name of unsure) names.add(nameOf(name));
  for (const name of files.keys()) if (!names.has(name)) return `${JSON.stringify(name)} should not be there`;
  for (const [path, content] of whole) {
    const found = files.get(nameOf(path));
    if (found === undefined) return `${JSON.stringify(path)} is missing`;
    if (!isSame(content, found)) return `${JSON.stringify(path)} is not what the archive holds`;
  }
  return undefined;
}

const PARTIAL = /(^|\/)\.[^/]*\.partial$/;

function wrongNames(
  { known, unsure, isExact, mayBeEmpty = false }: Verdict,
  files: ReadonlyMap<string, Found>,
): string | undefined {
  if (known === ANYTHING) return undefined;
  for (const [name, found] of files) {
    const contents = known.get(name);
    if (contents?.some((content) => isSame(content, found)) === true) continue;
    if (PARTIAL.test(name) || unsure.has(name)) continue;
    // An empty file under another name leaves no trace.
    if ((contents === undefined || mayBeEmpty) && found.sizeBytes === 0 && !isExact) continue;
    return `${JSON.stringify(name)} has its name, though it is not known to be whole`;
  }
  if (!isExact) return undefined;
  for (const name of known.keys())
    if (!files.has(name)) return `${JSON.stringify(name)} was whole before the damage, and is missing`;
  return undefined;
}

function wrongSizes(whole: ReadonlyMap<string, number>, sizes: ReadonlyMap<string, number>): string | undefined {
  const expected = [...whole].map(([path, size]) => `${path} ${size}`).sort();
  const found = [...sizes].map(([path, size]) => `${path} ${size}`).sort();
  return expected.join('\n') === found.join('\n')
    ? undefined
    : `listed: ${found.join(', ')}; there is: ${expected.join(', ')}`;
}

/** Files one after the other, in any order. */
function wrongStream(whole: ReadonlyMap<string, Content>, found: Found): string | undefined {
  const size = [...whole.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return size === found.sizeBytes ? undefined : `${found.sizeBytes} bytes came, not ${size}`;
}
