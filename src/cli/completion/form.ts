/** `completion`, as help texts and manual pages tell of it. */
import { pick } from '../../verbs/options/option.js';
import { OPTIONS, wordsOf } from '../../verbs/options/table.js';
import type { FormText } from '../grammar/forms.js';
import { SHELLS } from './scripts.js';

export const COMPLETION: FormText = {
  name: 'completion',
  aliases: [],
  call: 'tsxbstream completion',
  usage: [`tsxbstream completion ${SHELLS.join('|')}`],
  summary: 'print the script that has a shell complete command lines',
  description: [
    'Prints a script for bash (4.4 or newer), zsh or fish. With it the shell completes commands, options and their values, files where files are wanted and directories where directories are, and what an archive holds: the paths in it behind its name, and of --tables and --databases the names that SQL has for them.',
    'What an archive holds is read from its headers; of one that is compressed as a whole, as far as a few seconds go. Nothing in an archive is run: names that a shell would act on are quoted.',
    'For every new shell: in bash write the script to ~/.local/share/bash-completion/completions/tsxbstream, in zsh to a file named _tsxbstream in a folder of fpath, in fish to ~/.config/fish/completions/tsxbstream.fish.',
  ],
  examples: [
    { command: 'source <(tsxbstream completion bash)', purpose: 'in this bash; also zsh, with its name' },
    { command: 'tsxbstream completion fish | source', purpose: 'in this fish' },
  ],
  words: wordsOf(pick(OPTIONS, 'help')),
};
