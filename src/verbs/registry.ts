/** The verbs there are. Each is loaded when it is called. */
import type { AnyVerb } from './verb.js';

/** A verb's names, and where it is. */
export interface Registration {
  name: string;
  /** Other words for it. */
  aliases: readonly string[];
  load: () => Promise<AnyVerb>;
}

/** In the order of help texts. */
export const VERBS: readonly Registration[] = [
  { name: 'extract', aliases: [], load: async () => (await import('./extract.js')).extract },
  { name: 'list', aliases: ['ls'], load: async () => (await import('./list.js')).list },
  { name: 'verify', aliases: [], load: async () => (await import('./verify.js')).verify },
  { name: 'info', aliases: [], load: async () => (await import('./info.js')).info },
  { name: 'report', aliases: [], load: async () => (await import('./report.js')).report },
  { name: 'cat', aliases: [], load: async () => (await import('./cat.js')).cat },
  { name: 'index', aliases: [], load: async () => (await import('./make-index.js')).makeIndex },
  { name: 'create', aliases: [], load: async () => (await import('./create.js')).create },
  { name: 'convert-to-tar', aliases: ['tar'], load: async () => (await import('./convert-to-tar.js')).convertToTar },
  { name: 'decode', aliases: [], load: async () => (await import('./decode.js')).decode },
];
