/** Shell completion, from the tables of options and forms. */
import type { OptionDefinition } from '../../verbs/options/option.js';
import { usageError } from '../../verbs/options/usage-error.js';
import { XBSTREAM, type Form } from '../grammar/forms.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const PROGRAM = 'tsxbstream';
/** Words that come first and are no verbs with options of their own. */
const OTHER_WORDS: readonly (readonly [string, string])[] = [
  ['help', 'tell how to call it'],
  ['completion', 'print a script for the completion of a shell'],
];

/**
 * The script that a shell reads to complete command lines.
 *
 * @param shell `bash`, `zsh` or `fish`
 * @param forms all there are
 * @throws XbstreamError `XB_USAGE`
 */
export function completionScript(shell: string | undefined, forms: readonly Form[]): string {
  if (!SHELLS.includes(shell as Shell)) {
    throw usageError(
      shell === undefined ? 'it is not said for which shell' : `there is no completion for ${shell}`,
      `shells: ${SHELLS.join(', ')}`,
      `for the shell at hand: source <(${PROGRAM} completion bash)`,
    );
  }
  return SCRIPTS[shell as Shell](forms, forms.filter(isVerb));
}

/** Makes a script of all forms, and those of them that are verbs. */
type Script = (forms: readonly Form[], verbs: readonly Form[]) => string;

const SCRIPTS: Readonly<Record<Shell, Script>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

function isVerb({ name }: Form): boolean {
  return name !== XBSTREAM.name;
}

/** The words that stand for a verb. */
function wordsFor({ name, aliases }: Form): string[] {
  return [name, ...aliases];
}

function names(verbs: readonly Form[]): string {
  return verbs.map(({ name }) => name).join(' ');
}

/** Whether a value follows as a word of its own, or after a `=`. */
function wantsValue({ value, valueIsOptional }: OptionDefinition): boolean {
  return value !== undefined && valueIsOptional !== true;
}

function bashScript(forms: readonly Form[], verbs: readonly Form[]): string {
  const cases = verbs.map((verb) => `    ${wordsFor(verb).join(' | ')}) options='${bashOptions(verb)}' ;;`);
  const values = new Map(
    forms.flatMap(({ words }) =>
      [...words].flatMap(([name, { kind }]) => (kind?.words === undefined ? [] : [[name, kind.words] as const])),
    ),
  );
  const valueCases = [...values].map(([name, words]) => `    --${name}) values='${words.join(' ')}' ;;`);
  const first = [...verbs.flatMap(wordsFor), ...OTHER_WORDS.map(([word]) => word)];
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
    help) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W '${names(verbs)}' -- "$current")); return ;;
    *) options='${bashOptions(XBSTREAM)}' ;;
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

function bashOptions({ words }: Form): string {
  return [...words].map(([name, definition]) => `--${name}${wantsValue(definition) ? '=' : ''}`).join(' ');
}

function zshScript(_forms: readonly Form[], verbs: readonly Form[]): string {
  const purposes = [
    ...verbs.flatMap((verb) => wordsFor(verb).map((word) => [word, verb.summary] as const)),
    ...OTHER_WORDS,
  ].map(([word, purpose]) => `    '${word}:${quoted(purpose)}'`);
  const cases = verbs.map((verb) => `    ${wordsFor(verb).join('|')})\n${zshArguments(verb)} ;;`);
  return `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}; to use it: source <(${PROGRAM} completion zsh)
_${PROGRAM}() {
  local -a verbs=(
${purposes.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe 'command' verbs
    return
  fi
  case $words[2] in
${cases.join('\n')}
    completion) _values 'shell' ${SHELLS.join(' ')} ;;
    help) _values 'command' ${names(verbs)} ;;
    *)
${zshArguments(XBSTREAM)} ;;
  esac
}
compdef _${PROGRAM} ${PROGRAM}
`;
}

function zshArguments({ words }: Form): string {
  const specifications = [...words].map(([name, definition]) => {
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

function fishScript(forms: readonly Form[], verbs: readonly Form[]): string {
  const isFirst = '__fish_use_subcommand';
  const verbLines = [...verbs.map(({ name, summary }) => [name, summary] as const), ...OTHER_WORDS].map(
    ([word, purpose]) => `complete -c ${PROGRAM} -n ${isFirst} -f -a ${word} -d '${quoted(purpose)}'`,
  );
  const optionLines = forms.flatMap((form) => {
    const condition = !isVerb(form) ? isFirst : `'__fish_seen_subcommand_from ${wordsFor(form).join(' ')}'`;
    return [...form.words].map(([name, definition]) => {
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
