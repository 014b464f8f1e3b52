/**
 * The scripts that have a shell complete command lines. None of them knows an option: each asks the program what can stand
 * in the place of the word at the cursor (`answer.ts`), and puts that into the words of its shell.
 */
import { usageError } from '../../verbs/options/usage-error.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const PROGRAM = 'tsxbstream';
/** The word by which the scripts ask: `tsxbstream __complete SHELL WORD...`, of which the last is the one at the cursor. */
const ASK = '__complete';

/**
 * The script that a shell reads to complete command lines.
 *
 * @param shell `bash`, `zsh` or `fish`
 * @throws XbstreamError `XB_USAGE`
 */
export function completionScript(shell: string | undefined): string {
  const known = SHELLS.find((each) => each === shell);
  if (known !== undefined) return SCRIPTS[known];
  throw usageError(
    shell === undefined ? 'it is not said for which shell' : `there is no completion for ${shell}`,
    `shells: ${SHELLS.join(', ')}`,
    `for the shell at hand: source <(${PROGRAM} completion bash)`,
  );
}

/** bash makes words of their own of each = and : of a word, and replaces only what stands behind the last of them. */
const BASH = `# bash completion for ${PROGRAM}; to use it: source <(${PROGRAM} completion bash)
_${PROGRAM}() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() reply=() word i
  for ((i = 0; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i > 0)) && [[ $line != [[:space:]]* ]]; then words[\${#words[@]} - 1]+=$word; else words+=("$word"); fi
    line=\${line#*"$word"}
  done
  word=\${line#"\${line%%[![:space:]]*}"}
  if [[ $line == "$word" ]]; then words[\${#words[@]} - 1]+=$word; else words+=("$word"); fi
  mapfile -t reply < <("\${words[0]/#\\~\\//$HOME/}" ${ASK} bash "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=("\${reply[@]:1}")
  local last=\${words[\${#words[@]} - 1]} breaks=\${COMP_WORDBREAKS//[^=:]/}
  if [[ -n $breaks && $last == *[$breaks]* ]]; then
    last=\${last%"\${last##*[$breaks]}"}
    COMPREPLY=("\${COMPREPLY[@]#"$last"}")
  fi
  case \${reply[0]} in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
  esac
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=/:,] ]]; then compopt -o nospace; fi
}
complete -F _${PROGRAM} ${PROGRAM}
`;

/** As a file named _tsxbstream in fpath the whole of it is the function that is called first. */
const ZSH = `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}; to use it: source <(${PROGRAM} completion zsh)
_${PROGRAM}() {
  local program=\${(Q)words[1]} line text
  local -a reply before texts shown open openShown
  before=("\${(@Q)words[2,CURRENT-1]}")
  (( CURRENT > 2 )) || before=()
  reply=("\${(@f)$("\${program/#\\~\\//$HOME/}" ${ASK} zsh "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in "\${(@)reply[2,-1]}"; do
    text=\${line%%$'\\t'*}
    [[ -n $text ]] || continue
    if [[ $text == *[=/:,] ]]; then
      open+=("$text"); openShown+=("\${line/$'\\t'/  -- }")
    else
      texts+=("$text"); shown+=("\${line/$'\\t'/  -- }")
    fi
  done
  (( \${#open} == 0 )) || compadd -M 'm:{a-z}={A-Z}' -S '' -l -d openShown -a open
  (( \${#texts} == 0 )) || compadd -M 'm:{a-z}={A-Z}' -l -d shown -a texts
  if [[ $reply[1] == (files|directories) ]]; then
    [[ $PREFIX != --*=* ]] || compset -P '*='
    if [[ $reply[1] == files ]]; then _files; else _files -/; fi
  fi
}
if [[ \${funcstack[1]} == _${PROGRAM} ]]; then
  _${PROGRAM} "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _${PROGRAM} ${PROGRAM}
fi
`;

const FISH = `# fish completion for ${PROGRAM}; to use it: ${PROGRAM} completion fish | source
function __${PROGRAM}_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current "$(commandline -ct)"
    set -l token "$(string unescape -- $current)"
    test -n "$token"; or set token $current
    set -l reply ($program ${ASK} fish $words $token 2>/dev/null)
    set -l head "$(string match -r -- '^--[^=]*=' $current)"
    set -l value (string replace -r -- '^--[^=]*=' '' $current)
    switch "$reply[1]"
        case files
            string replace -r -- '^' "$head" (__fish_complete_path "$value")
        case directories
            string replace -r -- '^' "$head" (__fish_complete_directories "$value" '')
    end
    set -e reply[1]
    printf '%s\\n' $reply
end
complete -c ${PROGRAM} -f -a '(__${PROGRAM}_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
