/** The commands of a page in Markdown, and how they are to be run. */

/** Commands that are run one after the other, from a folder of their own. */
export interface Job {
  /** Where it stands, as `README.md:42`. */
  place: string;
  /** For bash. */
  script: string;
}

/** What a page has. */
export interface PageCommands {
  jobs: Job[];
  /** Blocks of which nothing says how they are run. */
  unmarked: string[];
}

interface Block {
  line: number;
  language: string;
  lines: string[];
  /** What the comments before it say. */
  marks: string[];
  /** The heading above it. */
  section: string;
}

/** `<!-- run by: FILE -->`. */
const LEFT_OUT = /^run by: \S+$/;
/** All blocks of its section are one sequence. */
const IN_ORDER = 'in order';
/** A part of a job's description, of which the steps that call the program are run. */
const STEPS = 'steps';
/** Between these and `<!-- end -->` stands what .ci/run reads, and what is made. */
const ELSEWHERE = /^(?:test|restore|made: \w+|a verb)$/;

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let marks: string[] = [];
  let section = '';
  let open: Block | undefined;
  let isElsewhere = false;
  text.split('\n').forEach((line, index) => {
    const mark = /^<!-- (.*) -->$/.exec(line)?.[1];
    if (open !== undefined) {
      if (line === '```') open = undefined;
      else open.lines.push(line);
    } else if (mark !== undefined) {
      if (ELSEWHERE.test(mark)) isElsewhere = true;
      else if (mark === 'end') isElsewhere = false;
      else marks.push(mark);
    } else if (line.startsWith('#')) section = line;
    else if (line.startsWith('```')) {
      open = { line: index + 1, language: line.slice(3), lines: [], marks, section };
      if (!isElsewhere) blocks.push(open);
      marks = [];
    } else if (line !== '') marks = [];
  });
  return blocks;
}

export function commandsOf(page: string, text: string): PageCommands {
  const jobs: Job[] = [];
  const unmarked: string[] = [];
  const sequences = new Map<string, Job>();
  const blocks = blocksOf(text);
  const inOrder = new Set(blocks.filter(({ marks }) => marks.includes(IN_ORDER)).map(({ section }) => section));
  for (const { line, language, lines, marks, section } of blocks) {
    const place = `${page}:${line}`;
    if (marks.some((mark) => LEFT_OUT.test(mark)) || language === 'js') continue;
    if (marks.includes(STEPS)) jobs.push({ place, script: stepsIn(lines).join('\n') });
    else if (language === 'console') jobs.push({ place, script: consoleScript(lines) });
    else if (language !== 'sh') {
      // What is printed is no command.
      const isCommand =
        language === 'yaml' || lines.some((text) => /^(?:\$ |(?:tsxbstream|npm|apt-get|dpkg|ssh) [^:]*$)/.test(text));
      if (isCommand) unmarked.push(place);
    } else if (inOrder.has(section)) {
      const sequence = sequences.get(section);
      const script = lines.map(withExitCode).join('\n');
      if (sequence !== undefined) sequence.script += `\n${script}`;
      else {
        const job = { place, script };
        sequences.set(section, job);
        jobs.push(job);
      }
    } else for (const script of commands(lines)) jobs.push({ place, script });
  }
  return { jobs, unmarked };
}

/** The commands in a list of steps, as GitHub (`- run: COMMAND`) and GitLab (`- COMMAND`) have them. @throws Error where there are none */
function stepsIn(lines: readonly string[]): string[] {
  const commands = lines.flatMap((line) => /^\s*- (?:run: )?(tsxbstream .*)$/.exec(line)?.[1] ?? []);
  if (commands.length === 0) throw new Error('there is no step that calls the program');
  return commands;
}

/** Lines that are each for themselves; one that ends in a backslash or a `&` goes on. */
function commands(lines: readonly string[]): string[] {
  const found: string[] = [];
  let isOpen = false;
  for (const line of lines.filter((text) => text !== '')) {
    const text = withExitCode(line);
    if (isOpen || /^\s/.test(line)) found.push(`${found.pop()!}\n${text}`);
    else found.push(text);
    isOpen = /(?:\\|&)$/.test(line);
  }
  return found;
}

/** A command that says with which exit code it ends: `...  # exit code 3`. */
function withExitCode(line: string): string {
  const found = /^(.*\S)\s+# exit code (\d+)$/.exec(line);
  if (found === null) return line;
  return `(${found[1]!}) && code=0 || code=$?\n[ "$code" = ${found[2]!} ] || { echo "exit code $code"; exit 1; }`;
}

/** What was typed and what was shown: `$ ` before the former; `...` stands for any lines. */
function consoleScript(lines: readonly string[]): string {
  const parts: { command: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) parts.push({ command: line.slice(2), shown: [] });
    else parts.at(-1)!.shown.push(line);
  }
  return parts
    .map(({ command, shown }, index) => {
      const said = `said.${index}`;
      return `{ ${command}; } > ${said} 2>&1\nshown ${said} <<'SHOWN'\n${shown.map((line) => `${line}\n`).join('')}SHOWN`;
    })
    .join('\n');
}

/** What of a line is another at each run. */
const TIMES = / in [\d.]+ s(?:, [\d.]+ [KMG]?i?B\/s of (?:archive|files))?|(?<=elapsedSeconds":)[\d.]+/g;

/** Whether a text is what a page says that is shown. */
export function isShown(said: string, shown: string): boolean {
  const linesOf = (text: string): string[] => text.replace(TIMES, ' TIME').trimEnd().split('\n');
  const pattern = linesOf(shown).map((line) => (line === '...' ? '(?:.*\n)*?' : `${escaped(line)}\n`));
  return new RegExp(`^${pattern.join('')}$`).test(`${linesOf(said).join('\n')}\n`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
