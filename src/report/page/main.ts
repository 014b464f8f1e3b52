/** What runs in a report: draws what its data say, and lets people look around in it. */
import type { PageData } from '../page-data.js';
import { ArchiveStrip } from './archive-strip.js';
import { placeFor } from './dom.js';
import { FileList } from './file-list.js';
import { modelOf } from './model.js';
import { Selection } from './selection.js';
import { Treemap } from './treemap.js';

/** What the page was given, unpacked. Nothing is asked for: the bytes are at hand. */
async function pageData(): Promise<PageData> {
  const bytes = Uint8Array.from(atob(placeFor('data').textContent), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return (await new Response(unpacked).json()) as PageData;
}

async function draw(): Promise<void> {
  const model = modelOf(await pageData());
  const selection = new Selection();
  new Treemap(placeFor('treemap'), model, selection);
  new ArchiveStrip(placeFor('archive-map'), model, selection);
  new FileList(placeFor('file-list'), model, selection);
}

void draw();
