// A page that needs nothing but itself: no script, no file from elsewhere, and a policy that says so. In: title and content.
// Out: HTML. Must not know what the page shows.

import { createHash } from 'node:crypto';
import { version } from '../version.ts';
import { element, textOf, type Content } from './markup.ts';
import { style } from './style.ts';

/** The style is allowed by its hash; all else is refused, so that nothing a model's names contain could ever load or run. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export function page(title: string, ...content: readonly Content[]): string {
  const head = [
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('title', {}, title),
    { markup: `<style>${style}</style>` },
  ];
  const body = element('main', {}, ...content, element('footer', {}, `kinglet ${version}`));
  return `<!doctype html>\n<html lang="en"><head>${textOf(head)}</head>\n<body>${body.markup}</body></html>\n`;
}

/** Numbers that matter most, beside each other: what, how much, and a remark. */
export function tiles(list: readonly (readonly [string, string, string?])[]): Content {
  return element('dl', { class: 'tiles' }, list.map(([name, value, remark]) => element('div', {},
    element('dt', {}, name), element('dd', {}, value, remark === undefined ? [] : element('small', {}, remark)))));
}
