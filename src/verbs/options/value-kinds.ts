import { SHARDS_MAX } from '../../archive/shards/parts.js';
import { looksLikeAddress } from '../../input/address/address.js';

/** What the value of an option may be. */
export interface ValueKind {
  /** As the end of the sentence `--option takes ...`. */
  expects: string;
  accepts(text: string): boolean;
  /** All there is, where that is a few words. */
  words?: readonly string[];
  /** It is the path of something: what is no UTF-8 in it would lead elsewhere. */
  isPath?: boolean;
}

const isWhole = (text: string): boolean => /^\d{1,15}$/.test(text);

export const wholeNumber: ValueKind = { expects: 'a whole number, 0 or more', accepts: isWhole };

export const positiveNumber: ValueKind = {
  expects: 'a whole number, 1 or more',
  accepts: (text) => isWhole(text) && Number(text) > 0,
};

const SIZE = /^(\d{1,12})([KMG]?)(?:iB)?$/i;
const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A size as it was typed, in bytes. */
export function bytesOfSize(text: string): number {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  return Number(digits) * SIZE_UNITS[unit?.toUpperCase() ?? '']!;
}

export const sizeInBytes: ValueKind = {
  expects: 'a size from 1 byte to 1G, such as 512K or 10M',
  accepts: (text) => SIZE.test(text) && bytesOfSize(text) > 0 && bytesOfSize(text) <= 2 ** 30,
};

const SHARD = /^(\d{1,5})\/(\d{1,5})$/;
/** Which part of an archive is meant. */
export interface ShardChoice {
  /** From 1. */
  shard: number;
  shards: number;
}

/** A shard as it was typed. */
export function shardOf(text: string): ShardChoice {
  const [, shard, shards] = SHARD.exec(text) ?? [];
  return { shard: Number(shard), shards: Number(shards) };
}

export const shardKind: ValueKind = {
  expects: 'which of how many shards, from 1/N to N/N, such as 3/8',
  accepts: (text) => {
    const { shard, shards } = shardOf(text);
    return shard >= 1 && shard <= shards && shards <= SHARDS_MAX;
  },
};

/** Anything but nothing. */
export function nonEmpty(what: string): ValueKind {
  return { expects: what, accepts: (text) => text !== '' };
}

/** What may be the name of a file in an archive. */
export function pattern(what: string): ValueKind {
  return { expects: what, accepts: (text) => text !== '' && !looksLikeAddress(text) };
}

/** What can be read at an address, too. */
export function pathOrAddress(what: string): ValueKind {
  return { ...nonEmpty(what), isPath: true };
}

/** A file of this machine that has a name. */
export const namedFile: ValueKind = {
  expects: 'a file',
  accepts: (text) => text !== '' && text !== '-' && !looksLikeAddress(text),
  isPath: true,
};

export const directory: ValueKind = {
  expects: 'a directory',
  accepts: (text) => text !== '' && !looksLikeAddress(text),
  isPath: true,
};

/** One of a few words; `anyCase` where the words are those of others, who write them both ways. */
export function oneOf(words: readonly string[], anyCase = false): ValueKind {
  return {
    expects: `${words.slice(0, -1).join(', ')}${words.length > 1 ? ' or ' : ''}${words.at(-1) ?? ''}`,
    accepts: (text) => words.includes(anyCase ? text.toUpperCase() : text),
    words,
  };
}
