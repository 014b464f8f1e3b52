/** The archive from its first byte to its last, in parts of equal size. */
import { formatBytes } from '../../ui/units.js';
import { button, element } from './dom.js';
import type { Model, Node } from './model.js';
import { Roving } from './roving.js';
import { lineOf, type Selection } from './selection.js';

/** Most files of a part that are named. */
const MAX_NAMED = 5;
const COLORS = 8;

export class ArchiveStrip {
  readonly #model: Model;
  readonly #cells: HTMLElement[];
  readonly #area: HTMLElement;
  readonly #line: HTMLElement;
  readonly #damaged: ReadonlySet<number>;

  constructor(place: HTMLElement, model: Model, selection: Selection) {
    this.#model = model;
    this.#damaged = new Set(model.data.damaged);
    const { cells, cellBytes } = model.data;
    const attributes = { role: 'group', 'aria-label': 'Map of the archive: arrow keys move from part to part' };
    this.#area = element('div', { class: 'strip', attributes });
    this.#cells = cells.map((files, at) => this.#cell(files, at));
    this.#area.append(...this.#cells);
    this.#line = element('p', { class: 'line', attributes: { role: 'status' } });
    const about = `Each square is ${formatBytes(cellBytes)} of the archive, from its first byte to its last, in the colour of the database that has most of it.`;
    place.append(
      element('p', { text: cells.length === 0 ? 'There is nothing to show.' : about }),
      this.#legend(),
      this.#area,
      this.#line,
    );
    new Roving(this.#area).renew();
    this.#area.addEventListener('focusin', ({ target }) => this.#tell(target as HTMLElement));
    this.#area.addEventListener('mouseover', ({ target }) => this.#tell(target as HTMLElement));
    selection.listen((selected) => this.#mark(selected));
  }

  #cell(files: readonly number[], at: number): HTMLElement {
    const color = files.length === 0 ? undefined : this.#model.files[files[0]!]!.color;
    const ground = color === undefined ? 'none' : color < COLORS ? `c${color}` : 'grey';
    const isDamaged = this.#damaged.has(at);
    const made = button(isDamaged ? '✕' : '', `cell ${ground}${isDamaged ? ' damaged' : ''}`, () => this.#tell(made));
    made.setAttribute('aria-label', this.#textOf(files, at));
    return made;
  }

  #textOf(files: readonly number[], at: number): string {
    const { cellBytes, archiveBytes } = this.#model.data;
    const from = at * cellBytes;
    const to = Math.min(archiveBytes, from + cellBytes);
    const named = files.slice(0, MAX_NAMED).map((file) => this.#model.files[file]!.fullName);
    const more = files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more` : '';
    const what = named.length === 0 ? 'no file' : `${named.join(', ')}${more}`;
    return `Bytes ${from} to ${to} (from ${formatBytes(from)}): ${what}${this.#damaged.has(at) ? '. DAMAGED' : ''}`;
  }

  #tell(cell: HTMLElement): void {
    const text = cell.getAttribute('aria-label');
    if (cell !== this.#area && text !== null) this.#line.textContent = text;
  }

  #legend(): HTMLElement {
    const { children } = this.#model.root;
    const items = children.slice(0, COLORS).map(({ name, color }) => legendItem(`c${color}`, name));
    if (children.length > COLORS) items.push(legendItem('grey', 'other databases'));
    if (this.#damaged.size > 0)
      items.push(legendItem('damaged', `damaged: ${this.#damaged.size} of ${this.#cells.length} parts`, '✕'));
    return element('ul', { class: 'legend' }, ...items);
  }

  #mark(selected: Node | undefined): void {
    this.#area.classList.toggle('picks', selected !== undefined);
    const held = new Set<number>();
    if (selected !== undefined) {
      for (let file = selected.from; file < selected.to; file += 1)
        for (const cell of this.#model.cellsOf(file)) held.add(cell);
    }
    this.#cells.forEach((cell, at) => cell.classList.toggle('held', held.has(at)));
    if (selected !== undefined)
      this.#line.textContent = `In ${held.size} of ${this.#cells.length} parts: ${lineOf(selected)}`;
  }
}

function legendItem(ground: string, text: string, sign = ''): HTMLElement {
  const swatch = element('span', { class: `cell ${ground}`, text: sign, attributes: { 'aria-hidden': 'true' } });
  return element('li', {}, swatch, element('span', { text }));
}
