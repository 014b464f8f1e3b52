/** Makes elements. All that comes from the archive becomes text, never HTML. */

interface Properties {
  class?: string;
  text?: string;
  attributes?: Readonly<Record<string, string>>;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { class: className, text, attributes = {} }: Properties = {},
  ...children: readonly Element[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function button(text: string, className: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', { class: className, text, attributes: { type: 'button' } });
  made.addEventListener('click', pressed);
  return made;
}

/** The place in the page for one of its parts. */
export function placeFor(id: string): HTMLElement {
  return document.getElementById(id)!;
}
