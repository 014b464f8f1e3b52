/**
 * Lets arrow keys go from one of many buttons to the one that lies beside it; the tab key goes past them all at once (the
 * "roving tabindex" of the ARIA practices).
 */
export class Roving {
  readonly #container: HTMLElement;

  constructor(container: HTMLElement) {
    this.#container = container;
    container.addEventListener('keydown', (event) => {
      const to = this.#target(event.key);
      if (to === undefined) return;
      event.preventDefault();
      to.focus();
    });
    container.addEventListener('focusin', (event) => this.#enter(event.target as HTMLElement));
  }

  /** The buttons are others now. */
  renew(): void {
    this.#buttons.forEach((button, at) => (button.tabIndex = at === 0 ? 0 : -1));
  }

  get #buttons(): HTMLElement[] {
    return [...this.#container.querySelectorAll<HTMLElement>('button')];
  }

  #enter(entered: HTMLElement): void {
    for (const button of this.#container.querySelectorAll<HTMLElement>('button[tabindex="0"]')) button.tabIndex = -1;
    entered.tabIndex = 0;
  }

  #target(key: string): HTMLElement | undefined {
    const buttons = this.#buttons;
    if (key === 'Home') return buttons[0];
    if (key === 'End') return buttons.at(-1);
    const direction = DIRECTIONS[key];
    const current = document.activeElement;
    if (direction === undefined || !(current instanceof HTMLElement)) return undefined;
    const [x, y] = centerOf(current);
    let best: HTMLElement | undefined;
    let bestDistance = Infinity;
    for (const button of buttons) {
      const [otherX, otherY] = centerOf(button);
      const along = (otherX - x) * direction[0] + (otherY - y) * direction[1];
      const across = Math.abs((otherX - x) * direction[1]) + Math.abs((otherY - y) * direction[0]);
      const distance = along + 3 * across;
      if (button === current || along < 1 || distance >= bestDistance) continue;
      best = button;
      bestDistance = distance;
    }
    return best;
  }
}

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function centerOf(element: HTMLElement): [number, number] {
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}
