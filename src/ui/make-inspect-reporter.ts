import { InfoJsonReporter, ListJsonReporter, VerifyJsonReporter } from './json/inspect-json.js';
import { InfoTextReporter } from './text/info-text.js';
import { ListTextReporter } from './text/list-text.js';
import { jsonSettings, textSettings, type ReporterSurroundings, type Shown } from './make-reporter.js';
import type { PaintOf } from './paint.js';
import type {
  CommonReporter,
  InfoReporter,
  ListReporter,
  ShardReporter,
  StatusPrinter,
  VerifyReporter,
} from './reporter.js';
import { TextPrinter } from './text/text-printer.js';
import { VerifyGithubReporter } from './text/verify-github.js';
import { VerifyJunitReporter } from './text/verify-junit.js';
import { ShardTextReporter, VerifyTextReporter } from './text/verify-text.js';

export type VerifyFormat = 'text' | 'json' | 'github' | 'junit';

/** @param choices `bytes`: sizes in bytes, also on a terminal */
export function makeListReporter(
  choices: Shown & { json: boolean; bytes: boolean },
  streams: ReporterSurroundings,
  paint: PaintOf,
): ListReporter & StatusPrinter {
  if (choices.json) return new ListJsonReporter(jsonSettings(choices, streams, paint));
  const isTerminal = streams.stdout.isTTY === true;
  const humanSizes = isTerminal && !choices.bytes;
  return new ListTextReporter({ ...textSettings(choices, streams, paint), humanSizes, header: isTerminal });
}

export function makeVerifyReporter(
  choices: Shown & { format: VerifyFormat },
  streams: ReporterSurroundings,
  paint: PaintOf,
): VerifyReporter & StatusPrinter {
  if (choices.format === 'json') return new VerifyJsonReporter(jsonSettings(choices, streams, paint));
  const settings = textSettings(choices, streams, paint);
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
  choices: Shown,
  streams: ReporterSurroundings,
  paint: PaintOf,
): ShardReporter & StatusPrinter {
  return new ShardTextReporter(textSettings(choices, streams, paint));
}

export function makeInfoReporter(
  choices: Shown & { json: boolean },
  streams: ReporterSurroundings,
  paint: PaintOf,
): InfoReporter & StatusPrinter {
  if (choices.json) return new InfoJsonReporter(jsonSettings(choices, streams, paint));
  return new InfoTextReporter(textSettings(choices, streams, paint));
}

/** For a verb whose stdout belongs to what it writes. */
export function makePlainReporter(
  choices: Shown,
  streams: ReporterSurroundings,
  paint: PaintOf,
): CommonReporter & StatusPrinter {
  return new TextPrinter(textSettings(choices, streams, paint));
}
