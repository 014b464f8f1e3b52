/** Shell completion, from the tables of options and forms. */
import { FORMS, VERBS } from './forms.js';
import { optionsOf, type Form, type OptionDefinition, type OptionName } from './options.js';
import { usageError } from './usage-error.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const PROGRAM = 'tsxbstream';
/** Words that come first and are no verbs with options of their own. */
const OTHER_WORDS: readonly (readonly [string, string])[] = [
  ['help', 'tell how to call it'],
  ['completion', 'print a script for the completion of a shell'],
];

type Option = [OptionName, OptionDefinition];

/**
 * The script that a shell reads to complete command lines.
 *
 * @param shell `bash`, `zsh` or `fish`
 * @throws XbstreamError `XB_USAGE`
 */
export function completionScript(shell: string | undefined): string {
  if (!SHELLS.includes(shell as Shell)) {
    throw usageError(
      shell === undefined ? 'it is not said for which shell' : `there is no completion for ${shell}`,
      `shells: ${SHELLS.join(', ')}`,
      `for the shell at hand: source <(${PROGRAM} completion bash)`,
    );
  }
  return SCRIPTS[shell as Shell]();
}

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The words that stand for a verb. */
function wordsFor(verb: Form): string[] {
  return [verb, ...FORMS[verb].aliases];
}

function options(form: Form): Option[] {
  return [...optionsOf(form)];
}

/** Whether a value follows as a word of its own, or after a `=`. */
function wantsValue({ value, valueIsOptional }: OptionDefinition): boolean {
  return value !== undefined && valueIsOptional !== true;
}

function bashScript(): string {
  const cases = VERBS.map((verb) => `    ${wordsFor(verb).join(' | ')}) options='${bashOptions(verb)}' ;;`);
  const forms: readonly Form[] = ['xbstream', ...VERBS];
  const values = new Map(
    forms.flatMap((form) =>
      options(form).flatMap(([name, { kind }]) => (kind?.words === undefined ? [] : [[name, kind.words] as const])),
    ),
  );
  const valueCases = [...values].map(([name, words]) => `    --${name}) values='${words.join(' ')}' ;;`);
  const first = [...VERBS.flatMap(wordsFor), ...OTHER_WORDS.map(([word]) => word)];
  return `# bash completion for ${PROGRAM}; to use it: source <(${PROGRAM} completion bash)
_${PROGRAM}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} options values
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 && $current != -* ]]; then
    COMPREPLY=($(compgen -W '${first.join(' ')}' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    completion) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W '${SHELLS.join(' ')}' -- "$current")); return ;;
    help) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W '${VERBS.join(' ')}' -- "$current")); return ;;
    *) options='${bashOptions('xbstream')}' ;;
  esac
  # bash makes a word of its own of the = in --option=value.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  case $previous in
${valueCases.join('\n')}
  esac
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
    [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  fi
}
complete -o default -F _${PROGRAM} ${PROGRAM}
`;
}

function bashOptions(form: Form): string {
  return options(form)
    .map(([name, definition]) => `--${name}${wantsValue(definition) ? '=' : ''}`)
    .join(' ');
}

function zshScript(): string {
  const verbs = [
    ...VERBS.flatMap((verb) => wordsFor(verb).map((word) => [word, FORMS[verb].summary] as const)),
    ...OTHER_WORDS,
  ].map(([word, purpose]) => `    '${word}:${quoted(purpose)}'`);
  const cases = VERBS.map((verb) => `    ${wordsFor(verb).join('|')})\n${zshArguments(verb)} ;;`);
  return `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}; to use it: source <(${PROGRAM} completion zsh)
_${PROGRAM}() {
  local -a verbs=(
${verbs.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe 'command' verbs
    return
  fi
  case $words[2] in
${cases.join('\n')}
    completion) _values 'shell' ${SHELLS.join(' ')} ;;
    help) _values 'command' ${VERBS.join(' ')} ;;
    *)
${zshArguments('xbstream')} ;;
  esac
}
compdef _${PROGRAM} ${PROGRAM}
`;
}

function zshArguments(form: Form): string {
  const specifications = options(form).map(([name, definition]) => {
    const { kind, value = '', help, addsUp, valueIsOptional } = definition;
    // Closing brackets and colons end a part of a specification.
    const text = quoted(help).replace(/[[\]:\\]/g, String.raw`\$&`);
    const values = kind?.words === undefined ? '_files' : `(${kind.words.join(' ')})`;
    const tail = definition.value === undefined ? '' : `${valueIsOptional === true ? '::' : ':'}${value}:${values}`;
    const equals = definition.value === undefined ? '' : valueIsOptional === true ? '=-' : '=';
    return `      '${addsUp === true ? '*' : ''}--${name}${equals}[${text}]${tail}'`;
  });
  return `      _arguments -S \\\n${[...specifications, "      '*:file:_files'"].join(' \\\n')}`;
}

function fishScript(): string {
  const isFirst = '__fish_use_subcommand';
  const verbLines = [...VERBS.map((verb) => [verb, FORMS[verb].summary] as const), ...OTHER_WORDS].map(
    ([word, purpose]) => `complete -c ${PROGRAM} -n ${isFirst} -f -a ${word} -d '${quoted(purpose)}'`,
  );
  const optionLines = (['xbstream', ...VERBS] as Form[]).flatMap((form) => {
    const condition = form === 'xbstream' ? isFirst : `'__fish_seen_subcommand_from ${wordsFor(form).join(' ')}'`;
    return options(form).map(([name, definition]) => {
      const { letters = '', kind, help } = definition;
      const short = letters
        .split('')
        .filter((letter) => /[A-Za-z]/.test(letter))
        .map((letter) => ` -s ${letter}`)
        .join('');
      const values = kind?.words === undefined ? '' : ` -f -a '${kind.words.join(' ')}'`;
      return `complete -c ${PROGRAM} -n ${condition}${short} -l ${name}${wantsValue(definition) ? ' -r' : ''}${values} -d '${quoted(help)}'`;
    });
  });
  return `# fish completion for ${PROGRAM}; to use it: ${PROGRAM} completion fish | source
${[...verbLines, `complete -c ${PROGRAM} -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'`, ...optionLines].join('\n')}
`;
}

/** For a place between single quotes, in every one of these shells: an apostrophe is left out rather than escaped in three ways. */
function quoted(text: string): string {
  return text.replaceAll("'", '').replaceAll('\\', '');
}
