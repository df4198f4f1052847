// Photos as bitmaps. In: a file, or the address of the sample. Out: an ImageBitmap that is turned upright and not larger than needed.
// Must not know networks.

import { Refusal } from './worker-line.ts';

/** Longest side that is kept: a phone's photo has 4000, and no network here sees more than 640. */
const MAX_SIDE = 1600;
const SAMPLE = './sample.jpg';

/** Throws a Refusal when the browser cannot read it. */
export async function bitmapOf(blob: Blob): Promise<ImageBitmap> {
  let whole: ImageBitmap;
  try {
    whole = await createImageBitmap(blob, { imageOrientation: 'from-image' });
  } catch {
    throw new Refusal({ code: 'ERR_IMAGE', sentence: 'this browser cannot read the picture', hint: 'Use a JPEG, PNG or WebP picture.' });
  }
  const scale = MAX_SIDE / Math.max(whole.width, whole.height);
  if (scale >= 1) return whole;
  const small = await createImageBitmap(whole, {
    resizeWidth: Math.max(1, Math.round(whole.width * scale)), resizeHeight: Math.max(1, Math.round(whole.height * scale)), resizeQuality: 'high',
  });
  whole.close();
  return small;
}

export async function samplePhoto(): Promise<ImageBitmap> {
  const response = await fetch(new URL(SAMPLE, import.meta.url));
  if (!response.ok) throw new Refusal({ code: 'ERR_FILE', sentence: `the sample photo did not come: the server answered ${response.status}`, hint: 'Reload the page.' });
  return bitmapOf(await response.blob());
}
