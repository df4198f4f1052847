// A photo as a film, for the browser's pretended camera. In: a Picture. Out: YUV4MPEG2 bytes of a few frames, all alike.
// Colours by ITU-R BT.601 in the range 16…235; the format: https://wiki.multimedia.cx/index.php/YUV4MPEG2

import type { Picture } from '../../host/image/index.ts';

const FRAMES = 4;

/** Reduced to `width`; the height follows, both even. Every pixel is the nearest one of the photo. */
export function filmOf(photo: Picture, width: number): Buffer {
  const height = 2 * Math.round((width * photo.height) / photo.width / 2), channels = photo.data.length / (photo.width * photo.height);
  const at = (x: number, y: number): readonly [number, number, number] => {
    const i = channels * (Math.floor((y * photo.height) / height) * photo.width + Math.floor((x * photo.width) / width));
    return [photo.data[i], photo.data[i + 1], photo.data[i + 2]];
  };
  const plane = (step: number, of: (r: number, g: number, b: number) => number): Buffer => (
    Buffer.from(Array.from({ length: (width / step) * (height / step) }, (_, i) => Math.round(of(...at(step * (i % (width / step)), step * Math.floor(i / (width / step))))))));
  const frame = Buffer.concat([
    Buffer.from('FRAME\n'), plane(1, (r, g, b) => 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256),
    plane(2, (r, g, b) => 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256), plane(2, (r, g, b) => 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256),
  ]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`), ...Array<Buffer>(FRAMES).fill(frame)]);
}
