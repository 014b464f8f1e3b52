import { formatBytes, formatCount, formatNumber } from '../../ui/units.js';
import { button, element } from './dom.js';
import type { Model, Node } from './model.js';
import type { Selection } from './selection.js';

const FIRST_ROWS = 50;
const MORE_ROWS = 500;

/** All files, those that are looked for. */
export class FileList {
  readonly #model: Model;
  readonly #selection: Selection;
  readonly #rows = element('tbody');
  readonly #count = element('p', { attributes: { role: 'status' } });
  readonly #more = button('Show more', '', () => this.#showMore());
  readonly #search = element('input', { attributes: { type: 'search', id: 'search', autocomplete: 'off' } });
  readonly #onlyDamaged = element('input', { attributes: { type: 'checkbox', id: 'only-damaged' } });
  /** The largest first. */
  readonly #sorted: readonly Node[];
  #found: readonly Node[] = [];
  #buttons = new Map<Node, HTMLElement>();

  constructor(place: HTMLElement, model: Model, selection: Selection) {
    this.#model = model;
    this.#selection = selection;
    this.#sorted = [...model.files].sort((a, b) => b.bytes - a.bytes);
    for (const control of [this.#search, this.#onlyDamaged]) control.addEventListener('input', () => this.#find());
    const heads = ['File', 'Size', 'Chunks', 'State'].map((text) =>
      element('th', { text, attributes: { scope: 'col' } }),
    );
    const table = element(
      'table',
      {},
      element('caption', { text: 'The largest first' }),
      element('thead', {}, element('tr', {}, ...heads)),
      this.#rows,
    );
    const attributes = { tabindex: '0', role: 'region', 'aria-label': 'List of files' };
    place.append(this.#controls(), this.#count, element('div', { class: 'scroll', attributes }, table), this.#more);
    selection.listen((selected) => this.#mark(selected));
    this.#find();
  }

  #controls(): HTMLElement {
    const label = (text: string, control: HTMLElement): HTMLElement =>
      element('label', { text, attributes: { for: control.id } });
    const controls = [label('Name holds', this.#search), this.#search];
    if (this.#model.root.damaged > 0)
      controls.push(this.#onlyDamaged, label('only files that are not whole', this.#onlyDamaged));
    return element('div', { class: 'controls' }, ...controls);
  }

  #find(): void {
    const wanted = this.#search.value.toLowerCase();
    const isFound = ({ fullName, damaged }: Node): boolean =>
      fullName.toLowerCase().includes(wanted) && (damaged > 0 || !this.#onlyDamaged.checked);
    this.#found = this.#sorted.filter(isFound);
    this.#buttons = new Map();
    this.#rows.replaceChildren();
    this.#append(FIRST_ROWS);
  }

  #showMore(): void {
    const at = this.#rows.rows.length;
    this.#append(MORE_ROWS);
    this.#rows.rows[at]?.querySelector('button')?.focus();
  }

  #append(rows: number): void {
    const at = this.#rows.rows.length;
    this.#rows.append(...this.#found.slice(at, at + rows).map((node) => this.#row(node)));
    const shown = this.#rows.rows.length;
    const { unlisted } = this.#model.data;
    const beside = unlisted[0] === 0 ? '' : `; ${formatCount(unlisted[0], 'small file')} are not listed here`;
    this.#count.textContent = `${formatNumber(shown)} of ${formatCount(this.#found.length, 'file')}${beside}`;
    this.#more.hidden = shown === this.#found.length;
    this.#mark(this.#selection.selected);
  }

  #row(node: Node): HTMLElement {
    const { fullName, bytes, chunks, damaged } = node;
    const name = button(fullName, 'link', () => this.#selection.toggle(node));
    this.#buttons.set(node, name);
    const state = element('td', damaged > 0 ? { class: 'bad', text: '✕ not whole' } : { text: 'whole' });
    const cells = [formatBytes(bytes), formatNumber(chunks)].map((text) => element('td', { text }));
    return element('tr', {}, element('th', { attributes: { scope: 'row' } }, name), ...cells, state);
  }

  #mark(selected: Node | undefined): void {
    const { from = 0, to = 0 } = selected ?? {};
    for (const [node, name] of this.#buttons) {
      name.setAttribute('aria-pressed', String(node.from >= from && node.to <= to));
    }
  }
}
