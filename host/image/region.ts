// Which part of a picture fills a frame. In: sizes and a way to fit. Out: a rectangle in source pixels. Must not know pixels.

import { KingletError, quote } from '../error.ts';

/**
 * stretch: the whole picture, proportions lost. crop: the largest centred part of the right proportions. middle: that, without a
 * sixteenth on every side, as when the shorter side is scaled to 256 and the middle 224 are cut out. pad: all of it, black bars.
 */
export const fits = ['stretch', 'crop', 'middle', 'pad'] as const;
export type Fit = (typeof fits)[number];

/** A rectangle in source pixels; it may reach beyond the picture, where everything is black. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const MIDDLE = 224 / 256;

/** The part of a picture that `fit` shows in a frame of the given size. Throws ERR_USAGE for an unknown fit. */
export function regionOf(picture: { width: number; height: number }, frame: { width: number; height: number }, fit: Fit): Region {
  const { width, height } = picture, byWidth = width / frame.width, byHeight = height / frame.height;
  switch (fit) {
    case 'stretch': return { x: 0, y: 0, width, height };
    case 'crop': return centred(picture, frame, Math.min(byWidth, byHeight));
    case 'middle': return centred(picture, frame, Math.min(byWidth, byHeight) * MIDDLE);
    case 'pad': return centred(picture, frame, Math.max(byWidth, byHeight));
    default: throw new KingletError('ERR_USAGE', `there is no fit ${quote(String(fit))}`, { hint: `The fits are ${fits.join(', ')}.` });
  }
}

function centred(picture: { width: number; height: number }, frame: { width: number; height: number }, scale: number): Region {
  const width = frame.width * scale, height = frame.height * scale;
  return { x: (picture.width - width) / 2, y: (picture.height - height) / 2, width, height };
}
