import type { Form } from './options.js';

/** A command and what it is good for, as a help text shows it. */
export interface Example {
  command: string;
  purpose: string;
}

/** How the program is called in one of its {@link Form}s. */
export interface FormDefinition {
  /** What is typed first. */
  call: string;
  /** Other words for the verb. */
  aliases: readonly string[];
  /** Lines of usage. */
  usage: readonly string[];
  /** One line for the overview. */
  summary: string;
  /** Paragraphs for the form's own help. */
  description: readonly string[];
  examples: readonly Example[];
}

export const FORMS: Readonly<Record<Form, FormDefinition>> = {
  xbstream: {
    call: 'tsxbstream -x',
    aliases: [],
    usage: ['tsxbstream -x [options] < ARCHIVE'],
    summary: 'unpack as xbstream and mbstream do',
    description: [
      'Unpacks the archive on stdin: a drop-in for "xbstream -x" and "mbstream -x", also when started under one of these names. Prints nothing on stdout.',
      'Exit code 0 means that the whole archive has arrived and every checksum held. A file that is not whole never gets its final name.',
      'All spellings of xbstream work: --directory=DIR, --directory DIR, -CDIR, -C DIR, -xvC DIR, --dir DIR. Further words are ignored.',
    ],
    examples: [
      { command: 'tsxbstream -x -C /var/lib/mysql < backup.xbstream', purpose: 'unpack a backup' },
      {
        command: "ssh db1 'mariabackup --backup --stream=xbstream' | tsxbstream -x -C restored",
        purpose: 'take a backup from another machine, without a file in between',
      },
      {
        command: 'tsxbstream -x --digest sha256 -C restored < backup.xbstream',
        purpose: 'unpack, and print the checksum of the archive on stderr',
      },
    ],
  },
  extract: {
    call: 'tsxbstream extract',
    aliases: [],
    usage: ['tsxbstream extract [options] [ARCHIVE] [PATTERN...]'],
    summary: 'unpack an archive, or some of its files',
    description: [
      'Unpacks ARCHIVE, or stdin where ARCHIVE is - or missing. With PATTERNs only the files that match one of them: "shop/*" is the files of one database, "**/*.ibd" those of every. The target directory is made when it is missing.',
      'Exit code 0 means that the whole archive was read and every checksum held. A file that is not whole never gets its final name: it stays behind as .NAME.partial.',
    ],
    examples: [
      { command: 'tsxbstream extract backup.xbstream -C restored', purpose: 'unpack everything' },
      {
        command: "tsxbstream extract backup.xbstream 'shop/*' -C restored",
        purpose: 'unpack the files of one database',
      },
      {
        command: "ssh db1 cat backup.xbstream | tsxbstream extract - 'shop/*' -C restored",
        purpose: 'the same from a pipe: - stands for stdin',
      },
      {
        command: 'tsxbstream extract --dry-run backup.xbstream -C /var/lib/mysql',
        purpose: 'check everything and see whether it would fit, without writing',
      },
    ],
  },
};

/** The forms that are called by a verb. */
export const VERBS = (Object.keys(FORMS) as Form[]).filter((form) => form !== 'xbstream');

/** The verb that a word stands for, by its name or an alias. */
export function verbOf(word: string): Form | undefined {
  return VERBS.find((verb) => verb === word || FORMS[verb].aliases.includes(word));
}
