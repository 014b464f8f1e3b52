/** Where the thread starts that fetches what lies at an address. */
import { serveFetches } from './fetching.js';

void serveFetches();
