// Boxes on photos. In: a picture and what was found on it. Out: a copy with boxes and keypoints. Must not know networks or files.

import { channelsOf } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { Region } from '../image/region.ts';
import type { Detection } from './detector.ts';

type Colour = readonly [number, number, number];
/** Boxes by class; neighbours in the list differ in hue and lightness. */
const colours: readonly Colour[] = [[255, 230, 0], [0, 200, 255], [255, 90, 160], [120, 255, 100], [255, 140, 40], [170, 140, 255]];
const KEYPOINT_COLOUR: Colour = [0, 230, 255];

/** A copy in RGB. Lines are a 400th of the picture's width, at least 2 pixels; what lies outside the picture is cut off. */
export function drawDetections(picture: Picture, detections: readonly Detection[]): Picture {
  const { width, height } = picture, canvas = { width, height, data: rgbOf(picture) };
  const line = Math.max(2, Math.round(width / 400));
  for (const { index, box, keypoints } of detections) {
    const right = box.x + box.width, bottom = box.y + box.height, colour = colours[index % colours.length];
    fill(canvas, { x: box.x, y: box.y, width: box.width, height: line }, colour);
    fill(canvas, { x: box.x, y: bottom, width: box.width + line, height: line }, colour);
    fill(canvas, { x: box.x, y: box.y, width: line, height: box.height }, colour);
    fill(canvas, { x: right, y: box.y, width: line, height: box.height }, colour);
    for (const { x, y } of keypoints ?? []) fill(canvas, { x: x - line, y: y - line, width: 2 * line, height: 2 * line }, KEYPOINT_COLOUR);
  }
  return canvas;
}

function rgbOf(picture: Picture): Uint8Array {
  const channels = channelsOf(picture), { data } = picture;
  if (channels === 3) return Uint8Array.from(data);
  return Uint8Array.from({ length: picture.width * picture.height * 3 }, (_, i) => data[Math.floor(i / 3) * channels + (channels === 4 ? i % 3 : 0)]);
}

function fill({ width, height, data }: { width: number; height: number; data: Uint8Array }, area: Region, colour: Colour): void {
  const clip = (v: number, end: number): number => Math.min(end, Math.max(0, Math.round(v)));
  const right = clip(area.x + area.width, width), bottom = clip(area.y + area.height, height);
  for (let y = clip(area.y, height); y < bottom; y++) {
    for (let x = clip(area.x, width); x < right; x++) data.set(colour, (y * width + x) * 3);
  }
}
