/** Figures as a person reads them: medians, ratios of neighbouring runs, and whether the goals hold. */

/** @typedef {import('./measure.js').Figures} Figures */
/** @typedef {import('./scenarios.js').Goal} Goal */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {string} title
 * @property {Goal[]} goals
 * @property {string[]} notes what a reader of the figures must know
 * @property {{ ours: Figures, peer?: Figures }[]} rounds
 * @property {string} [failure] why there are no figures
 */

const FIGURES = /** @type {const} */ ([
  { name: 'wall', key: 'wallSeconds', show: showSeconds },
  { name: 'cpu', key: 'cpuSeconds', show: showSeconds },
  { name: 'rss', key: 'peakRssBytes', show: showMegabytes },
]);
const LABELS = { wall: 'wall', cpu: 'CPU', rss: 'peak RSS' };

/**
 * @param {Result[]} results
 * @returns {string} a Markdown table and what each scenario is
 */
export function toMarkdown(results) {
  const rows = results.flatMap((result) => (result.failure === undefined ? rowsOf(result) : [failedRow(result)]));
  return [
    '| scenario | figure | ours | peer | ours / peer | goal | holds |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...results.map(({ name, title, rounds, notes }) =>
      [`- \`${name}\`: ${title}; ${rounds.length} rounds`, ...notes].join('; '),
    ),
  ].join('\n');
}

/**
 * @param {Result} result
 * @returns {string[][]}
 */
function rowsOf({ name, rounds, goals }) {
  return FIGURES.map((figure, index) => {
    const ours = rounds.map((round) => round.ours[figure.key]);
    const peers = rounds.flatMap((round) => (round.peer === undefined ? [] : [round.peer[figure.key]]));
    const ratios = rounds.flatMap((round) =>
      round.peer === undefined ? [] : [round.ours[figure.key] / round.peer[figure.key]],
    );
    const goal = goals.find((candidate) => candidate.figure === figure.name);
    return [
      index === 0 ? name : '',
      LABELS[figure.name],
      figure.show(median(ours)),
      peers.length === 0 ? '-' : figure.show(median(peers)),
      ratios.length === 0 ? '-' : showRatio(ratios),
      goal === undefined ? '' : showGoal(goal),
      goal === undefined ? '' : showVerdict(goal, ours, ratios),
    ];
  });
}

/**
 * @param {Result} result
 * @returns {string[]}
 */
function failedRow({ name, failure }) {
  return [name, `**failed**: ${failure?.replaceAll('|', '\\|').replaceAll('\n', ' ')}`, '', '', '', '', ''];
}

/** @param {Goal} goal */
function showGoal(goal) {
  return goal.figure === 'rss' ? `at most ${showMegabytes(goal.bytes)}` : `ratio at most ${goal.ratio}`;
}

/**
 * @param {Goal} goal
 * @param {number[]} ours
 * @param {number[]} ratios
 */
function showVerdict(goal, ours, ratios) {
  if (goal.figure === 'rss') return Math.max(...ours) <= goal.bytes ? 'yes' : '**no**';
  if (ratios.length === 0) return '-';
  return median(ratios) <= goal.ratio ? 'yes' : '**no**';
}

/** @param {number[]} ratios */
function showRatio(ratios) {
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}

/** @param {number} seconds */
function showSeconds(seconds) {
  return `${seconds.toFixed(3)} s`;
}

/** @param {number} bytes */
function showMegabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** @param {number[]} values at least one */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ index) => /** @type {number} */ (sorted[index]);
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.floor(sorted.length / 2))) / 2;
}
