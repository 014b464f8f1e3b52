/** The parts of a report that need no script. */
import type { XbstreamError } from '../errors.js';
import { printable, printablePath } from '../ui/printable.js';
import type { BackupDescription, Verification } from '../ui/reporter.js';
import { infoLines } from '../ui/text/info-text.js';
import { likeProblems, type LikeProblems } from '../ui/text/like-problems.js';
import { placeOf, verdict } from '../ui/text/verify-text.js';
import { formatBytes, formatCount, formatNumber } from '../ui/units.js';
import { html, type Html } from './html.js';
import { NOT_WHOLE, type PageData } from './page-data.js';

/** Most problems that are told one by one, and most files that are named beside one of them. */
const MAX_PROBLEMS = 200;
const MAX_OTHERS = 500;
/** Most databases in the table of them. */
const MAX_DATABASES = 500;

export function verdictBanner(verification: Verification): Html {
  const { ok } = verification;
  return html`<p class="verdict ${ok ? 'good' : 'bad'}">
    <strong>${ok ? 'Whole' : 'Not whole'}</strong> ${verdict(verification)}
  </p>`;
}

export function facts(description: BackupDescription): Html {
  const rows = infoLines(description).flatMap(([heading, text]) =>
    text === undefined
      ? []
      : [
          html`<div>
            <dt>${heading}</dt>
            <dd>${printable(text)}</dd>
          </div>`,
        ],
  );
  const unread = description.unread.map(
    ({ path, reason }) =>
      html`<div>
        <dt>not read</dt>
        <dd>${printablePath(path)}: ${printable(reason)}</dd>
      </div>`,
  );
  return html`<section aria-labelledby="what">
    <h2 id="what">What it is</h2>
    <dl class="facts">${rows}${unread}</dl>
  </section>`;
}

export function problemsSection({ problems, problemCount }: Verification): Html | undefined {
  if (problems.length === 0) return undefined;
  const groups = likeProblems(problems);
  const told = groups.slice(0, MAX_PROBLEMS);
  const left = problemCount - told.reduce((sum, { others }) => sum + 1 + others.length, 0);
  const more =
    left > 0
      ? html`<p>And ${formatCount(left, 'problem')} more: <code>tsxbstream verify -v</code> tells all.</p>`
      : undefined;
  return html`<section aria-labelledby="problems">
    <h2 id="problems">${formatCount(problemCount, 'problem')}</h2>
    <ol class="problems">
      ${told.map(problemItem)}
    </ol>
    ${more}
  </section>`;
}

function problemItem({ first, others }: LikeProblems): Html {
  const { code, message, details } = first;
  const lines = details.map((line) => html`<li>${printable(line)}</li>`);
  return html`<li>
    <p><code>${code}</code> ${nameOf(first)}${placeOf(first)}: ${printable(message)}</p>
    <ul>
      ${lines}
    </ul>
    ${others.length === 0 ? undefined : othersOf(others)}
  </li>`;
}

function othersOf(others: readonly XbstreamError[]): Html {
  const named = others.slice(0, MAX_OTHERS).map((other) => html`<li>${nameOf(other)}${placeOf(other)}</li>`);
  const more =
    others.length > MAX_OTHERS
      ? html`<li>and ${formatCount(others.length - MAX_OTHERS, 'more place')}</li>`
      : undefined;
  return html`<details>
    <summary>The same in ${formatCount(others.length, 'more place')}</summary>
    <ul>
      ${named}${more}
    </ul>
  </details>`;
}

function nameOf({ path }: XbstreamError): string {
  return path === undefined ? 'the archive itself' : printablePath(path);
}

/** What to do with the backup, or with what is left of it. */
export function nextSteps(description: BackupDescription, problems: readonly XbstreamError[]): Html {
  const { missing, next, placeholders, replication } = description;
  const hints = [...new Set(problems.flatMap((problem) => problem.hints))].slice(0, MAX_PROBLEMS);
  return html`<section aria-labelledby="next">
    <h2 id="next">Next steps</h2>
    ${missing.map((what) => html`<p>A restore lacks ${printable(what)}.</p>`)}
    ${hints.map((hint) => html`<p class="hint">${printable(hint)}</p>`)}
    ${
      next.length === 0
        ? undefined
        : html`<ol class="steps">
            ${next.map(stepItem)}
          </ol>`
    }
    ${words(placeholders)}
    ${replication.length === 0 ? undefined : html`<h3>To have the restored server follow another</h3>`}
    ${replication.map(
      ({ purpose, statements }) =>
        html`<p>${purpose}:</p>
          <pre tabindex="0">${statements.map((statement) => `${printable(statement)};`).join('\n')}</pre>`,
    )}
  </section>`;
}

function stepItem({ purpose, command, each }: BackupDescription['next'][number]): Html {
  const often = each === undefined ? '' : ` (for each ${each})`;
  return html`<li>
    ${printable(purpose)}${often}
    <pre tabindex="0">${printable(command)}</pre>
  </li>`;
}

function words(placeholders: BackupDescription['placeholders']): Html | undefined {
  const rows = Object.entries(placeholders).map(
    ([name, meaning]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${meaning}</dd>
      </div>`,
  );
  return rows.length === 0 ? undefined : html`<dl class="facts">${rows}</dl>`;
}

/** What the pictures show, in words and numbers. */
export function databasesTable({ databases, unlisted: [files, bytes] }: PageData): Html {
  const shown = databases.slice(0, MAX_DATABASES).map(([name, , tables]) => {
    const all = tables.flatMap(([, , list]) => list);
    const size = all.reduce((sum, [, each]) => sum + each, 0);
    const damaged = all.filter(([, , , state]) => state === NOT_WHOLE).length;
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${formatNumber(tables.length)}</td>
      <td>${formatNumber(all.length)}</td>
      <td>${formatBytes(size)}</td>
      <td>${damaged === 0 ? 'all' : html`<strong class="bad">all but ${formatNumber(damaged)}</strong>`}</td>
    </tr>`;
  });
  const others =
    databases.length > MAX_DATABASES
      ? html`<p>And ${databases.length - MAX_DATABASES} smaller databases.</p>`
      : undefined;
  const rest =
    files > 0
      ? html`<p>And ${formatCount(files, 'small file')} (${formatBytes(bytes)}) that this page does not list.</p>`
      : undefined;
  return html`<div class="scroll databases" tabindex="0" role="region" aria-labelledby="databases">
      <table>
        <caption id="databases">
          By database, the largest first
        </caption>
        <thead>
          <tr>
            <th scope="col">Database</th>
            <th scope="col">Tables</th>
            <th scope="col">Files</th>
            <th scope="col">Size</th>
            <th scope="col">Whole</th>
          </tr>
        </thead>
        <tbody>
          ${shown}
        </tbody>
      </table>
    </div>
    ${others}${rest}`;
}
