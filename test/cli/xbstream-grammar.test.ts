import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { XbstreamError } from '../../dist/errors.js';
import { readCall } from '../../dist/cli/call.js';
import { readValues } from '../../dist/cli/grammar/option-values.js';
import { normaliseWords, spell, type OptionWord } from '../../dist/cli/grammar/xbstream-grammar.js';
import type { OptionValues } from '../../dist/verbs/options/option-values.js';
import { formOf } from '../helpers/forms.js';

/** The one spelling of a command line, operands after `--`. */
function normalised(line: readonly string[], form = 'xbstream'): string[] {
  const { options, operands } = normaliseWords(line, formOf(form));
  return [...options.map(spell), ...(operands.length > 0 ? ['--', ...operands] : [])];
}

const SPELLINGS: readonly [line: string[], meaning: string[]][] = [
  [['-x'], ['--extract']],
  [['--extract'], ['--extract']],
  [
    ['-xvC', 'dir'],
    ['--extract', '--verbose', '--directory=dir'],
  ],
  [['-xvCdir'], ['--extract', '--verbose', '--directory=dir']],
  [
    ['-x', '-v', '-C', 'dir'],
    ['--extract', '--verbose', '--directory=dir'],
  ],
  [
    ['-x', '--directory=dir'],
    ['--extract', '--directory=dir'],
  ],
  [
    ['-x', '--directory', 'dir'],
    ['--extract', '--directory=dir'],
  ],
  [
    ['-x', '--dir', 'dir'],
    ['--extract', '--directory=dir'],
  ],
  [
    ['-x', '--dir=a=b'],
    ['--extract', '--directory=a=b'],
  ],
  [['-C=dir'], ['--directory==dir']],
  [['--directory='], ['--directory=']],
  [['--encrypt_key_file=k'], ['--encrypt-key-file=k']],
  [['--encrypt-key_f', 'k'], ['--encrypt-key-file=k']],
  [['--encrypt-key', '-starts-with-a-dash'], ['--encrypt-key=-starts-with-a-dash']],
  [
    ['-k', '--', '-x'],
    ['--encrypt-key=--', '--extract'],
  ],
  [
    ['-p4', '--para', '8'],
    ['--parallel=4', '--parallel=8'],
  ],
  [['-?'], ['--help']],
  [['-h'], ['--help']],
  [['-V'], ['--version']],
  [
    ['-d', 'aes256', '-fkey'],
    ['--decrypt=aes256', '--encrypt-key-file=key'],
  ],
  [['--decompress'], ['--decompress']],
  [['--decompress-t=2'], ['--decompress-threads=2']],
  // Unique in xbstream, though we have --digest, --dry-run, --exclude and --progress beside it.
  [['--di', 'd'], ['--directory=d']],
  [['--ex'], ['--extract']],
  [['--p', '2'], ['--parallel=2']],
  [['--exc', 'a'], ['--exclude=a']],
  [
    ['--colour=never', '--col', 'auto'],
    ['--color=never', '--color=auto'],
  ],
  [
    ['--skip-existing', 'word'],
    ['--skip-existing', '--', 'word'],
  ],
  [['--skip-existing=verify'], ['--skip-existing=verify']],
  [
    ['file', '-x', '-', 'more'],
    ['--extract', '--', 'file', '-', 'more'],
  ],
  [
    ['-x', '--', '-v', '--', '--bogus'],
    ['--extract', '--', '-v', '--', '--bogus'],
  ],
  [[''], ['--', '']],
];

for (const [line, meaning] of SPELLINGS) {
  test(`${JSON.stringify(line)} means ${JSON.stringify(meaning)}`, () => {
    assert.deepEqual(normalised(line), meaning);
  });
}

const MISTAKES: readonly [line: string[], form: 'xbstream' | 'extract', message: string, hints: string[]][] = [
  [
    ['--overwite'],
    'extract',
    'unknown option --overwite',
    ['did you mean --overwrite?', 'all options: tsxbstream extract --help'],
  ],
  [['--zzz=SECRET'], 'xbstream', 'unknown option --zzz', ['all options: tsxbstream -x --help']],
  [['--=x'], 'xbstream', 'unknown option --', ['all options: tsxbstream -x --help']],
  [['-xZ'], 'xbstream', 'unknown option -Z', ['all options: tsxbstream -x --help']],
  [['-vé'], 'xbstream', 'unknown option -é', ['all options: tsxbstream -x --help']],
  [
    ['--json'],
    'xbstream',
    'unknown option --json',
    [
      ...['extract', 'list', 'verify', 'info', 'report', 'index', 'create', 'convert-to-tar', 'decode'].map(
        (verb) => `it is an option of: tsxbstream ${verb}`,
      ),
      'all options: tsxbstream -x --help',
    ],
  ],
  [
    ['-x'],
    'extract',
    'unknown option -x',
    ['it is an option of: tsxbstream -x', 'all options: tsxbstream extract --help'],
  ],
  [['--dec'], 'xbstream', '--dec is ambiguous', ['it could be --decompress, --decrypt, --decompress-threads']],
  [
    ['--enc=SECRET'],
    'xbstream',
    '--enc is ambiguous',
    ['it could be --encrypt-threads, --encrypt-key, --encrypt-key-file'],
  ],
  [['--di=d'], 'extract', '--di is ambiguous', ['it could be --directory, --digest']],
  [['-xC'], 'xbstream', '-C needs a directory', ['as in: -C DIR', 'all options: tsxbstream -x --help']],
  [
    ['--parallel'],
    'extract',
    '--parallel needs a whole number, 0 or more',
    ['as in: --parallel N', 'all options: tsxbstream extract --help'],
  ],
  [['--verbose=1'], 'xbstream', '--verbose takes no value', ['leave out everything from the "=": --verbose']],
];

for (const [line, form, message, hints] of MISTAKES) {
  test(`${JSON.stringify(line)} is answered: ${message}`, async () => {
    const argv = ['node', 'tsxbstream', ...(form === 'xbstream' ? line : [form, ...line])];
    await assert.rejects(readCall({ argv, isTerminal: () => false, env: {} }), (error: unknown) => {
      assert.ok(error instanceof XbstreamError);
      assert.deepEqual([error.code, error.message, error.hints], ['XB_USAGE', message, hints]);
      return true;
    });
  });
}

/** Every beginning of a long name that stands for it alone. */
function abbreviations(name: string, form: string): string[] {
  const others = [...formOf(form).words].flatMap(([other, { aliases = [], classic = false }]) =>
    other === name ? [] : [other, ...aliases].map((spelling) => ({ spelling, classic })),
  );
  const isPreferred = form === 'xbstream' && formOf(form).words.get(name)!.classic === true;
  return Array.from({ length: name.length }, (_, index) => name.slice(0, index + 1)).filter(
    (start) =>
      start === name ||
      !others.some(({ spelling, classic }) => spelling.startsWith(start) && (classic || !isPreferred)),
  );
}

/** An option and one of the ways to type it. */
interface Typed {
  meant: OptionWord;
  words: string[];
  /** Typed as a lone letter that takes no value: the next letter may be glued to it. */
  isFlagLetter: boolean;
}

function typedOption(form: string): fc.Arbitrary<Typed> {
  return fc.constantFrom(...formOf(form).words).chain(([name, definition]) => {
    const { letters = '', value: takesValue, valueIsOptional = false } = definition;
    const value =
      takesValue === undefined
        ? fc.constant(undefined)
        : valueIsOptional
          ? fc.option(fc.string(), { nil: undefined })
          : fc.string();
    const spelled = fc
      .tuple(fc.constantFrom(...abbreviations(name, form)), fc.boolean())
      .map(([start, underscores]) => `--${underscores ? start.replaceAll('-', '_') : start}`);
    return fc
      .record({ value, spelled, letter: fc.constantFrom('', ...letters.split('')), isGlued: fc.boolean() })
      .map(({ value: text, spelled: long, letter, isGlued }): Typed => {
        const meant: OptionWord = { name, value: text };
        if (takesValue === undefined) {
          return { meant, words: [letter === '' ? long : `-${letter}`], isFlagLetter: letter !== '' };
        }
        if (text === undefined) return { meant, words: [long], isFlagLetter: false };
        if (letter !== '') {
          return {
            meant,
            words: isGlued && text !== '' ? [`-${letter}${text}`] : [`-${letter}`, text],
            isFlagLetter: false,
          };
        }
        return { meant, words: isGlued || valueIsOptional ? [`${long}=${text}`] : [long, text], isFlagLetter: false };
      });
  });
}

/** Glues letters together where the one before takes no value. */
function bundled(typed: readonly Typed[], glue: readonly boolean[]): string[] {
  const words: string[] = [];
  let canGlue = false;
  typed.forEach((option, index) => {
    const [first = '', ...rest] = option.words;
    const isLetter = !first.startsWith('--');
    if (canGlue && isLetter && glue[index % glue.length] === true)
      words.push(`${words.pop() ?? ''}${first.slice(1)}`, ...rest);
    else words.push(first, ...rest);
    canGlue = option.isFlagLetter;
  });
  return words;
}

for (const form of ['xbstream', 'extract'] as const) {
  test(`whatever way an option is typed, it means the same (${form})`, () => {
    const operand = fc.oneof(
      fc.string().filter((text) => !text.startsWith('-')),
      fc.constant('-'),
    );
    fc.assert(
      fc.property(
        fc.array(typedOption(form), { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        fc.array(operand, { maxLength: 2 }),
        fc.array(fc.string(), { maxLength: 2 }),
        (typed, glue, before, after) => {
          const result = normaliseWords([...before, ...bundled(typed, glue), '--', ...after], formOf(form));
          assert.deepEqual(
            result.options,
            typed.map(({ meant }) => meant),
          );
          assert.deepEqual(result.operands, [...before, ...after]);
        },
      ),
      { numRuns: 2000 },
    );
  });
}

test('quotes in a value that may be left out are part of it', async () => {
  for (const value of ["'y'", '"y"', '""y""', '"', '', 'y']) {
    const options: OptionWord[] = [{ name: 'from-tar', value }];
    const values = await readValues({ options, operands: [] }, formOf('create'), new Map());
    assert.deepEqual(values.all('from-tar'), [value]);
  }
  const values = await readValues(
    { options: [{ name: 'from-tar', value: undefined }], operands: [] },
    formOf('create'),
    new Map(),
  );
  assert.deepEqual(values.all('from-tar'), ['']);
});

test('both ways in read the same values out of the same options, whatever characters they hold', async () => {
  const anyText = fc.oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.constantFrom(
      '--',
      '-1',
      '1e3',
      '0x10',
      '007',
      'true',
      'false',
      '"quoted"',
      "'q'",
      'a=b',
      '--no-json',
      '__proto__',
      'a\nb',
      ' ',
    ),
  );
  const name = fc.constantFrom<string>(
    'include',
    'exclude',
    'directory',
    'manifest',
    'encrypt-key',
    'encrypt-key-file',
  );
  const word: fc.Arbitrary<OptionWord> = fc.oneof(
    fc.record({ name, value: anyText.filter((text) => text !== '-') }),
    fc.record({
      name: fc.constantFrom<string>('verbose', 'fsync', 'skip-existing'),
      value: fc.constant(undefined),
    }),
    fc.record({ name: fc.constant<string>('parallel'), value: fc.nat().map((number) => String(number + 1)) }),
  );
  const listed = (values: OptionValues): unknown =>
    values
      .names()
      .sort()
      .map((known) => [known, values.all(known)]);
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (options) => {
      const asXbstream = await readValues({ options, operands: [] }, formOf('xbstream'), new Map());
      const asVerb = await readValues({ options, operands: [] }, formOf('extract'), new Map());
      assert.deepEqual(listed(asVerb), listed(asXbstream));
    }),
    { numRuns: 200 },
  );
});
