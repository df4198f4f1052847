// Finding and making elements. Text from files becomes text nodes, never markup. Must not know what the page is about.

import type { Trouble } from './calls.ts';

/** The one element that matches; its absence is a mistake in index.html. */
export function find<E extends Element>(root: ParentNode, selector: string, type: abstract new () => E): E {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`index.html has no ${selector}`);
  return found;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, attributes: Readonly<Record<string, string>> = {}, ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Says it again only when it changed: a live region would repeat itself thirty times a second. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function option(value: string, text: string): HTMLOptionElement {
  return make('option', { value }, text);
}

/** A labelled number: pairs for a dl. */
export function pairs(entries: readonly (readonly [string, string])[]): HTMLElement[] {
  return entries.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)));
}

/** The sentence of an error and what to do about it; null clears it. */
export function showTrouble(element: HTMLElement, trouble: Trouble | null): void {
  element.hidden = trouble === null;
  if (!trouble) {
    element.replaceChildren();
    return;
  }
  const sentence = trouble.sentence.charAt(0).toUpperCase() + trouble.sentence.slice(1);
  const more = [trouble.hint, trouble.code].filter((text) => text !== '');
  element.replaceChildren(make('p', {}, `${sentence}${/[.!?]$/.test(sentence) ? '' : '.'}`), ...more.map((text) => make('p', {}, text)));
}

export interface Cells {
  readonly title: string;
  readonly numeric: boolean;
  readonly cells: readonly string[];
}

/** A table of columns; the first column names its rows. */
export function tableOf(columns: readonly Cells[], caption: string): HTMLTableElement {
  const cell = ({ numeric }: Cells, tag: 'th' | 'td', text: string, scope?: string): HTMLElement => (
    make(tag, { ...(numeric ? { class: 'number' } : {}), ...(scope ? { scope } : {}) }, text));
  const rows = Array.from({ length: columns[0]?.cells.length ?? 0 }, (_, i) => (
    make('tr', {}, ...columns.map((column, c) => (c === 0 ? cell(column, 'th', column.cells[i], 'row') : cell(column, 'td', column.cells[i]))))));
  return make('table', {},
    make('caption', {}, caption),
    make('thead', {}, make('tr', {}, ...columns.map((column) => cell(column, 'th', column.title, 'col')))),
    make('tbody', {}, ...rows));
}
