// Elements of HTML and SVG as text. In: tag names, attributes and children of this program, text from anywhere. Out: markup in which
// text from outside is text and nothing else. Must not know what is drawn.

import { UNSAFE_CHARACTERS } from '../plain-text.ts';

/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}
/** Strings are escaped; lists are joined. */
export type Content = string | number | Markup | readonly Content[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

export function escaped(text: string): string {
  return text.replace(UNSAFE_CHARACTERS, '\u{fffd}').replace(/[&<>"']/g, (c) => entities[c]);
}

/** Coordinates with at most two decimals. */
function attributeText(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : escaped(value);
}

/** <tag attributes>content</tag>; attributes that are undefined are left out. */
export function element(tag: string, attributes: Attributes = {}, ...content: readonly Content[]): Markup {
  const list = Object.entries(attributes).map(([name, value]) => (value === undefined ? '' : ` ${name}="${attributeText(value)}"`)).join('');
  const inner = textOf(content);
  return { markup: inner === '' && VOID.has(tag) ? `<${tag}${list}>` : `<${tag}${list}>${inner}</${tag}>` };
}
const VOID: ReadonlySet<string> = new Set(['meta', 'br']);

export function textOf(content: Content): string {
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(textOf).join('');
}
