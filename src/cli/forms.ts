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
    usage: ['tsxbstream -x [options] < ARCHIVE', 'tsxbstream -c [options] FILE... > ARCHIVE'],
    summary: 'unpack and pack as xbstream and mbstream do',
    description: [
      'Unpacks the archive on stdin: a drop-in for "xbstream -x" and "mbstream -x", also when started under one of these names. Prints nothing on stdout.',
      'Exit code 0 means that the whole archive has arrived and every checksum held. A file that is not whole never gets its final name.',
      'With -c: writes an archive of FILEs to stdout, byte for byte what xbstream and mbstream write. A file that changes while it is read is an error.',
      'All spellings of xbstream work: --directory=DIR, --directory DIR, -CDIR, -C DIR, -xvC DIR, --dir DIR. With -x further words are ignored, with a warning.',
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
      'Unpacks ARCHIVE, or stdin where ARCHIVE is - or missing. With PATTERNs only the files that match one of them: "**/*.ibd" is the tables of InnoDB. A database or a table with all that a prepare needs is chosen by --databases or --tables. The target directory is made when it is missing.',
      'Exit code 0 means that the whole archive was read and every checksum held. A file that is not whole never gets its final name: it stays behind as .NAME.partial.',
    ],
    examples: [
      { command: 'tsxbstream extract backup.xbstream -C restored', purpose: 'unpack everything' },
      {
        command: 'tsxbstream extract backup.xbstream --databases shop -C restored',
        purpose: 'unpack the files of one database',
      },
      {
        command: 'ssh db1 cat full.xb | tsxbstream extract - --databases shop -C restored',
        purpose: 'the same from a pipe: - stands for stdin',
      },
      {
        command: 'tsxbstream extract --dry-run backup.xbstream -C /var/lib/mysql',
        purpose: 'check everything and see whether it would fit, without writing',
      },
    ],
  },
  list: {
    call: 'tsxbstream list',
    aliases: ['ls'],
    usage: ['tsxbstream list [options] [ARCHIVE] [PATTERN...]'],
    summary: 'show what is in an archive',
    description: [
      'Lists the files of ARCHIVE, or of stdin where ARCHIVE is - or missing, with their sizes and what was done to them (compression, encryption). Of a file only the headers are read, however large it is. The corrections that mariabackup sends are applied.',
      'Exit code 0 means that every file listed has arrived, by its headers. Whether its content is right tells "verify".',
    ],
    examples: [
      { command: 'tsxbstream list backup.xbstream', purpose: 'what is in it' },
      {
        command: "tsxbstream list --sort size backup.xbstream 'shop/*'",
        purpose: 'the files of one database, the largest first',
      },
      { command: 'ssh db1 cat backup.xbstream | tsxbstream list --json', purpose: 'from a pipe, for a program' },
    ],
  },
  verify: {
    call: 'tsxbstream verify',
    aliases: [],
    usage: ['tsxbstream verify [options] [ARCHIVE]'],
    summary: 'prove that an archive is whole',
    description: [
      'Reads all of ARCHIVE, or stdin where ARCHIVE is - or missing, and checks every chunk and every checksum, that no part of a file is missing, and that it ends where it should. Reports all that is wrong, by file. Writes nothing.',
      'Exit code 0 means that the archive is whole. With --deep also what is inside of compressed and encrypted files.',
    ],
    examples: [
      { command: 'tsxbstream verify backup.xbstream', purpose: 'is it whole?' },
      {
        command: 'tsxbstream verify --deep -f KEYFILE backup.xbstream',
        purpose: 'also inside of compressed and encrypted files',
      },
      {
        command: 'tsxbstream verify --format github backup.xbstream',
        purpose: 'problems as annotations of a workflow',
      },
      {
        command: 'ssh db1 cat backup.xbstream | tsxbstream verify --digest sha256',
        purpose: 'of a stream, with its checksum',
      },
    ],
  },
  info: {
    call: 'tsxbstream info',
    aliases: [],
    usage: ['tsxbstream info [options] [ARCHIVE]'],
    summary: 'tell what backup an archive holds, and what to do with it',
    description: [
      'Reads the small files in which xtrabackup and mariabackup tell of a backup: which program wrote it, of which server, full, incremental or partial, with which positions. Of a backup that is whole it says which commands restore it, else what is missing.',
    ],
    examples: [
      { command: 'tsxbstream info backup.xbstream', purpose: 'what is this, and what to do with it?' },
      { command: 'tsxbstream info --json - < backup.xbstream', purpose: 'the same for a program' },
    ],
  },
  cat: {
    call: 'tsxbstream cat',
    aliases: [],
    usage: ['tsxbstream cat [options] ARCHIVE PATH...'],
    summary: 'write the content of files to stdout',
    description: [
      'Writes the content of the files that match the PATHs to stdout, one after the other. Of an ARCHIVE that is a file nothing else is read.',
      'A file comes out under the name it was asked for by: xtrabackup_info of an archive that holds xtrabackup_info.zst.xbcrypt is decrypted and decompressed, xtrabackup_info.zst only decrypted, and xtrabackup_info.zst.xbcrypt is what is stored. With --decompress or a key that, too, is decoded; with --raw nothing is.',
      'Exit code 0 means that all of it has come and every checksum held.',
    ],
    examples: [
      { command: 'tsxbstream cat backup.xbstream xtrabackup_checkpoints', purpose: 'one small file' },
      {
        command: 'tsxbstream cat -f KEYFILE backup.xbstream shop/orders.ibd > orders.ibd',
        purpose: 'one table, as it was on the server',
      },
    ],
  },
  create: {
    call: 'tsxbstream create',
    aliases: [],
    usage: ['tsxbstream create [options] FILE...', 'tsxbstream create [options] --from-tar[=FILE]'],
    summary: 'make an archive of files, directories or a tar archive',
    description: [
      'Writes an archive of FILEs to stdout, or to the file that -o names. Of a directory all files are taken, in the order of their names. An archive holds names and contents, nothing else: no modes, owners, times, links or empty directories.',
      'A file that changes or vanishes while it is read is an error. What is written to stdout is then broken off inside a chunk, so that no reader takes it for whole; the file of -o never gets its name.',
    ],
    examples: [
      { command: 'tsxbstream create -C /backup/full . -o full.xbstream', purpose: 'everything in a directory' },
      {
        command: "find . -name '*.ibd' -print0 | tsxbstream create -0T - > tables.xbstream",
        purpose: 'the files that another program names',
      },
      {
        command: 'zstd -dc old.tar.zst | tsxbstream create --from-tar > old.xbstream',
        purpose: 'from a tar archive, without unpacking it',
      },
    ],
  },
  'convert-to-tar': {
    call: 'tsxbstream convert-to-tar',
    aliases: ['tar'],
    usage: ['tsxbstream convert-to-tar [options] [ARCHIVE] [PATTERN...]'],
    summary: 'make a tar of an archive, or of some of its files',
    description: [
      'Writes what ARCHIVE (or stdin) holds as a tar to stdout, or to the file that -o names: files with mode 0640 and time 0, in the order of the archive, corrections applied. The same archive gives the same tar, byte for byte.',
      'Of a file only what is needed is read, and nothing is kept. The files of a pipe wait in --tmp-dir until its end, since a correction may come to the last; --stream does not wait.',
      'If the archive is damaged or incomplete, the tar ends in the middle of a file, so that no program takes it for whole.',
    ],
    examples: [
      { command: 'tsxbstream tar backup.xbstream | zstd > backup.tar.zst', purpose: 'convert and compress' },
      {
        command: "tsxbstream tar --decompress backup.xbstream 'shop/*' -o shop.tar",
        purpose: 'the files of one database, decompressed',
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
