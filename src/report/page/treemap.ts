/** Sizes as areas: databases, and in each its tables; or a database with its tables and their files. */
import { hierarchy, treemap, type HierarchyRectangularNode } from 'd3-hierarchy';
import { formatBytes, formatCount } from '../../ui/units.js';
import { button, element } from './dom.js';
import type { Model, Node } from './model.js';
import { Roving } from './roving.js';
import { lineOf, type Selection } from './selection.js';

/** More are shown as one: nobody could tell them apart. */
const MAX_CHILDREN = 400;
const MAX_LEAVES = 400;
/** Smaller tiles are left out, in CSS pixels; and without this much room a tile has no text. */
const MIN_SIDE = 3;
const TEXT_WIDTH = 44;
const TEXT_HEIGHT = 16;
const HEADING_HEIGHT = 20;
/** The colours that databases have, in turn, before they are all alike. */
const COLORS = 8;

/** A node, or what is left of many. */
interface Tile {
  node: Node | undefined;
  name: string;
  bytes: number;
  damaged: number;
  color: number;
  children: Tile[];
}

export class Treemap {
  readonly #model: Model;
  readonly #selection: Selection;
  readonly #path: HTMLElement;
  readonly #area: HTMLElement;
  readonly #line: HTMLElement;
  readonly #roving: Roving;
  /** All of it is shown, and what it is made of. */
  #focus: Node;
  #width = 0;
  #buttons = new Map<Node, HTMLElement>();

  constructor(place: HTMLElement, model: Model, selection: Selection) {
    this.#model = model;
    this.#selection = selection;
    this.#focus = model.root;
    this.#path = element('nav', { class: 'path', attributes: { 'aria-label': 'What the treemap shows' } });
    const attributes = {
      role: 'group',
      'aria-label': 'Treemap: arrow keys move, Enter looks into it, Escape goes back',
    };
    this.#area = element('div', { class: 'treemap', attributes });
    this.#line = element('p', { class: 'line', attributes: { role: 'status' } });
    place.append(this.#path, this.#area, this.#line);
    this.#roving = new Roving(this.#area);
    this.#area.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#show(this.#model.root, true);
    });
    selection.listen((selected) => this.#mark(selected));
    new ResizeObserver(() => {
      if (this.#area.clientWidth !== this.#width) this.#render();
    }).observe(this.#area);
    this.#render();
  }

  #show(focus: Node, isByKey = false): void {
    if (focus === this.#focus) return;
    const left = this.#focus;
    this.#focus = focus;
    this.#render();
    this.#selection.select(focus.kind === 'archive' ? undefined : focus);
    if (isByKey) (this.#buttons.get(left) ?? this.#area.querySelector('button'))?.focus();
  }

  #render(): void {
    this.#area.hidden = this.#focus.bytes === 0;
    const { clientWidth: width, clientHeight: height } = this.#area;
    this.#width = width;
    this.#buttons = new Map();
    const layout = treemap<Tile>()
      .size([width, height])
      .round(true)
      .paddingInner(2)
      .paddingTop((tile) => (tile.depth === 1 && tile.children !== undefined ? HEADING_HEIGHT : 0));
    const root = layout(hierarchy(tilesOf(this.#focus)).sum((tile) => (tile.children.length > 0 ? 0 : tile.bytes)));
    const shown = root.descendants().filter((tile) => tile.depth > 0 && isVisible(tile));
    this.#area.replaceChildren(...shown.map((tile) => this.#tile(tile, width, height)));
    this.#roving.renew();
    this.#showPath();
    this.#mark(this.#selection.selected);
  }

  #tile({ data, children, x0, x1, y0, y1 }: HierarchyRectangularNode<Tile>, width: number, height: number): Element {
    const { node, name, bytes, damaged, color } = data;
    const isHeading = children !== undefined;
    const className = `tile ${isHeading ? 'outer' : 'inner'} ${color < COLORS ? `c${color}` : 'grey'}${damaged > 0 ? ' damaged' : ''}`;
    const made = button('', className, () => this.#pressed(node));
    const size = formatBytes(bytes);
    const hasText = x1 - x0 > TEXT_WIDTH && y1 - y0 > TEXT_HEIGHT;
    if (hasText) {
      // What is seen begins what is heard.
      const place = isHeading ? element('span', { class: 'heading' }) : made;
      place.append(element('span', { text: damaged > 0 ? `✕ ${name}` : name }), ' ', element('small', { text: size }));
      if (isHeading) made.append(place);
    }
    made.setAttribute(
      'aria-label',
      node === undefined ? `${name} ${size}` : `${name} ${size}: ${wordFor(node)} ${lineOf(node)}`,
    );
    made.title = node === undefined ? name : lineOf(node);
    const share = (part: number, whole: number): string => `${(100 * part) / whole}%`;
    Object.assign(made.style, {
      left: share(x0, width),
      top: share(y0, height),
      width: share(x1 - x0, width),
      height: share(y1 - y0, height),
    });
    if (node !== undefined) this.#buttons.set(node, made);
    return made;
  }

  #pressed(node: Node | undefined): void {
    if (node === undefined) return;
    if (node.kind === 'database' && this.#focus.kind === 'archive') this.#show(node, true);
    else this.#selection.toggle(node);
  }

  #showPath(): void {
    const { root } = this.#model;
    const isAll = this.#focus === root;
    const whole = isAll
      ? element('span', { text: lineOf(root) })
      : button('← all databases', 'link', () => this.#show(root));
    this.#path.replaceChildren(whole, ...(isAll ? [] : [element('span', { text: lineOf(this.#focus) })]));
  }

  #mark(selected: Node | undefined): void {
    for (const [node, tile] of this.#buttons) tile.setAttribute('aria-pressed', String(node === selected));
    this.#line.textContent = selected === undefined ? '' : `Selected: ${lineOf(selected)}`;
  }
}

function wordFor({ kind }: Node): string {
  return kind === 'file' ? 'file' : `${kind},`;
}

function isVisible({ x0, x1, y0, y1 }: HierarchyRectangularNode<Tile>): boolean {
  return x1 - x0 >= MIN_SIDE && y1 - y0 >= MIN_SIDE;
}

/** A node with what it is made of, and what that is made of. */
function tilesOf(focus: Node): Tile {
  const { shown, rest } = split(focus.children, MAX_CHILDREN);
  let left = MAX_LEAVES;
  const children = shown.map((child) => {
    const share = Math.floor((MAX_LEAVES * child.bytes) / Math.max(1, focus.bytes));
    // A table of one file is that file; and of what is small nobody could see the parts.
    if (child.children.length < 2 || share < 2) return tile(child, []);
    const inner = split(child.children, Math.min(left, share));
    left = Math.max(1, left - inner.shown.length);
    return tile(child, [...inner.shown.map((each) => tile(each, [])), ...restTile(inner.rest, child.color)]);
  });
  return tile(focus, [...children, ...restTile(rest, focus.kind === 'archive' ? COLORS : focus.color)]);
}

function tile(node: Node, children: Tile[]): Tile {
  const { name, bytes, damaged, color } = node;
  return { node, name, bytes, damaged, color, children };
}

/** What is empty has no area. */
function split(nodes: readonly Node[], most: number): { shown: Node[]; rest: Node[] } {
  const filled = nodes.filter(({ bytes }) => bytes > 0);
  return { shown: filled.slice(0, most), rest: filled.slice(most) };
}

function restTile(nodes: readonly Node[], color: number): Tile[] {
  if (nodes.length === 0) return [];
  const bytes = nodes.reduce((sum, node) => sum + node.bytes, 0);
  const damaged = nodes.reduce((sum, node) => sum + node.damaged, 0);
  return [{ node: undefined, name: formatCount(nodes.length, 'smaller one'), bytes, damaged, color, children: [] }];
}
