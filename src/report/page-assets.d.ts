/** The script and the style of a report, as text: scripts/bundle.js makes them of what lies in page/. */
export declare const SCRIPT: string;
export declare const STYLE: string;
