/** Opens pages in Debian's chromium. */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export function openBrowser(): Promise<Browser> {
  // In a container root has no sandbox, and /dev/shm may be small.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

export interface OpenedPage {
  page: Page;
  /** It has asked for nothing but itself, and nothing went wrong in it. */
  assertQuiet: () => void;
}

/** Opens a file, and notes all that it says and asks for. */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url) said.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  // The script draws it in a moment of its own.
  if (options.javaScriptEnabled !== false) await page.locator('#file-list table').waitFor();
  return { page, assertQuiet: () => assert.deepEqual(said, []) };
}
