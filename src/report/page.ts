/** Makes the page of a report: one file of HTML that asks for no other. */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { printable } from '../ui/printable.js';
import type { BackupDescription, Verification } from '../ui/reporter.js';
import { Html, html } from './html.js';
import { SCRIPT, STYLE } from './page-assets.js';
import type { PageData } from './page-data.js';
import { databasesTable, facts, nextSteps, problemsSection, verdictBanner } from './sections.js';

/** What a report tells. */
export interface ReportContent {
  verification: Verification;
  description: BackupDescription;
  data: PageData;
  /** When the archive was read. */
  readAt: Date;
}

/** As they stand in the page, to the letter: their hashes are in the policy. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`);

/** Packed, since names are long and alike; in letters of which none ends the element. */
function dataElement(data: PageData): Html {
  const packed = deflateSync(JSON.stringify(data)).toString('base64');
  return new Html(`<script type="text/plain" id="data">${packed}</script>`);
}

function dateText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** As a policy names what it allows by its content. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** Nothing but its own script and style: no request, no handler in an attribute, nothing that came out of the archive. */
function policy(): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(SCRIPT)}`,
    `style-src ${hashOf(STYLE)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

export function reportPage({ verification, description, data, readAt }: ReportContent): string {
  const { archiveName, problems } = verification;
  const name = archiveName === '-' ? 'the archive on stdin' : printable(archiveName);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy()}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>Backup report: ${name}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>
          <header>
            <h1>Backup report</h1>
            <p class="name">${name}</p>
            ${verdictBanner(verification)}
          </header>
          ${problemsSection(verification)} ${facts(description)} ${nextSteps(description, problems)}
          <section aria-labelledby="sizes">
            <h2 id="sizes">Sizes by database and table</h2>
            <div id="treemap"></div>
            ${databasesTable(data)}
          </section>
          <section aria-labelledby="map">
            <h2 id="map">Map of the archive</h2>
            <div id="archive-map"></div>
          </section>
          <section aria-labelledby="files">
            <h2 id="files">Files</h2>
            <div id="file-list"></div>
          </section>
          <noscript><p>The pictures and the list of files need scripts, which are off.</p></noscript>
        </main>
        <footer>
          <p>Read ${dateText(readAt)} by tsxbstream.</p>
        </footer>
        ${dataElement(data)} ${SCRIPT_ELEMENT}
      </body>
    </html> `.text;
}
