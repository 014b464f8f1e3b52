/** What runs in a report: draws what its data say, and lets people look around in it. */
import type { PageData } from '../page-data.js';
import { ArchiveStrip } from './archive-strip.js';
import { placeFor } from './dom.js';
import { FileList } from './file-list.js';
import { modelOf } from './model.js';
import { Selection } from './selection.js';
import { Treemap } from './treemap.js';

const model = modelOf(JSON.parse(placeFor('data').textContent) as PageData);
const selection = new Selection();
new Treemap(placeFor('treemap'), model, selection);
new ArchiveStrip(placeFor('archive-map'), model, selection);
new FileList(placeFor('file-list'), model, selection);
