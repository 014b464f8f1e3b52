import { InfoJsonReporter } from './json/info-json.js';
import { InfoTextReporter } from './text/info-text.js';
import { ListJsonReporter } from './json/list-json.js';
import { ListTextReporter } from './text/list-text.js';
import { isProgressShown, type ProgressChoice, type ReporterSurroundings } from './make-reporter.js';
import type { ColorChoice, Paint } from './paint.js';
import { ProgressDisplay } from './progress.js';
import type {
  CommonReporter,
  InfoReporter,
  ListReporter,
  ShardReporter,
  StatusPrinter,
  VerifyReporter,
} from './reporter.js';
import { ShardTextReporter } from './text/shard-text.js';
import { TextPrinter } from './text/text-printer.js';
import { VerifyGithubReporter } from './text/verify-github.js';
import { VerifyJsonReporter } from './json/verify-json.js';
import { VerifyJunitReporter } from './text/verify-junit.js';
import { VerifyTextReporter } from './text/verify-text.js';

/** What was chosen about what is shown, whatever the verb. */
export interface InspectChoices {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  progress: ProgressChoice;
  color: ColorChoice;
}

export interface ListChoices extends InspectChoices {
  /** Sizes in bytes, also on a terminal. */
  bytes: boolean;
}

export type VerifyFormat = 'text' | 'json' | 'github' | 'junit';

export interface VerifyChoices extends InspectChoices {
  format: VerifyFormat;
}

export function makeListReporter(
  choices: ListChoices,
  streams: ReporterSurroundings,
  paint: Paint,
): ListReporter & StatusPrinter {
  const { quiet } = choices;
  if (choices.json) return new ListJsonReporter(jsonSettings(choices, streams, paint));
  const isTerminal = streams.stdout.isTTY === true;
  const humanSizes = isTerminal && !choices.bytes;
  return new ListTextReporter({ ...textSettings(choices, streams, paint), humanSizes, quiet, header: isTerminal });
}

export function makeVerifyReporter(
  choices: VerifyChoices,
  streams: ReporterSurroundings,
  paint: Paint,
): VerifyReporter & StatusPrinter {
  if (choices.format === 'json') return new VerifyJsonReporter(jsonSettings(choices, streams, paint));
  const settings = { ...textSettings(choices, streams, paint), quiet: choices.quiet };
  switch (choices.format) {
    case 'text':
      return new VerifyTextReporter(settings);
    case 'github':
      return new VerifyGithubReporter(settings);
    case 'junit':
      return new VerifyJunitReporter(settings);
  }
}

/** For a part of an archive, whose result is a matter of programs. */
export function makeShardReporter(
  choices: InspectChoices,
  streams: ReporterSurroundings,
  paint: Paint,
): ShardReporter & StatusPrinter {
  return new ShardTextReporter({ ...textSettings(choices, streams, paint), quiet: choices.quiet });
}

export function makeInfoReporter(
  choices: InspectChoices,
  streams: ReporterSurroundings,
  paint: Paint,
): InfoReporter & StatusPrinter {
  if (choices.json) return new InfoJsonReporter(jsonSettings(choices, streams, paint));
  return new InfoTextReporter({ ...textSettings(choices, streams, paint), quiet: choices.quiet });
}

/** For a verb whose stdout belongs to what it writes. */
export function makePlainReporter(
  choices: InspectChoices,
  streams: ReporterSurroundings,
  paint: Paint,
): CommonReporter & StatusPrinter {
  return new TextPrinter(textSettings(choices, streams, paint));
}

function textSettings(choices: InspectChoices, { stdout, stderr }: ReporterSurroundings, paint: Paint) {
  const progress = isProgressShown(choices, stderr) ? new ProgressDisplay(stderr) : undefined;
  return { results: stdout, problems: stderr, paint, progress, verbose: choices.verbose };
}

function jsonSettings({ progress, verbose }: InspectChoices, { stdout, stderr }: ReporterSurroundings, paint: Paint) {
  return { results: stdout, problems: stderr, paint, progress: progress === 'always', verbose };
}
