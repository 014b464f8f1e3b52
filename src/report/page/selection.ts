import { formatBytes, formatCount } from '../../ui/units.js';
import type { Node } from './model.js';

type Listener = (selected: Node | undefined) => void;

/** What is looked at: the pictures and the list show the same. */
export class Selection {
  #selected: Node | undefined;
  readonly #listeners: Listener[] = [];

  get selected(): Node | undefined {
    return this.#selected;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** What is selected already is no longer so. */
  toggle(node: Node): void {
    this.select(node === this.#selected ? undefined : node);
  }

  select(node: Node | undefined): void {
    this.#selected = node;
    for (const listener of this.#listeners) listener(node);
  }
}

/** A node in a line. */
export function lineOf({ kind, fullName, bytes, chunks, from, to, damaged }: Node): string {
  const files = kind === 'file' ? '' : `${formatCount(to - from, 'file')}, `;
  return `${fullName}: ${files}${formatBytes(bytes)} in ${formatCount(chunks, 'chunk')}${stateOf(kind, damaged)}`;
}

function stateOf(kind: Node['kind'], damaged: number): string {
  if (damaged === 0) return '';
  return kind === 'file' ? '; NOT WHOLE' : `; ${formatCount(damaged, 'file')} NOT WHOLE`;
}
