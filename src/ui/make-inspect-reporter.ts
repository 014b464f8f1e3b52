import { InfoJsonReporter, ListJsonReporter, VerifyJsonReporter } from './json/inspect-json.js';
import { InfoTextReporter } from './text/info-text.js';
import { ListTextReporter } from './text/list-text.js';
import { jsonSettings, textSettings, type ReporterSurroundings, type Shown } from './make-reporter.js';
import type { PaintOf } from './paint.js';
import type { InfoReporter, ListReporter, StatusPrinter, VerifyReporter } from './reporter.js';
import { VerifyGithubReporter } from './text/verify-github.js';
import { VerifyJunitReporter } from './text/verify-junit.js';
import { VerifyTextReporter } from './text/verify-text.js';

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

export function makeInfoReporter(
  choices: Shown & { json: boolean },
  streams: ReporterSurroundings,
  paint: PaintOf,
): InfoReporter & StatusPrinter {
  if (choices.json) return new InfoJsonReporter(jsonSettings(choices, streams, paint));
  return new InfoTextReporter(textSettings(choices, streams, paint));
}
