// Which part of a picture fills a frame. In: sizes and a way to fit. Out: a rectangle in source pixels. Must not know pixels.

/** stretch: the whole picture, proportions lost. crop: the largest centred part of the right proportions. pad: all of it, black bars. */
export const fits = ['stretch', 'crop', 'pad'] as const;
export type Fit = (typeof fits)[number];

/** A rectangle in source pixels; it may reach beyond the picture, where everything is black. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a picture that `fit` shows in a frame of the given size. */
export function regionOf(picture: { width: number; height: number }, frame: { width: number; height: number }, fit: Fit): Region {
  const { width, height } = picture;
  if (fit === 'stretch') return { x: 0, y: 0, width, height };
  const byWidth = width / frame.width, byHeight = height / frame.height;
  const scale = fit === 'crop' ? Math.min(byWidth, byHeight) : Math.max(byWidth, byHeight);
  const w = frame.width * scale, h = frame.height * scale;
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}
