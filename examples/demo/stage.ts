// What one looks at: a photo or the camera's picture, and on top of it what was found. In: a bitmap or a playing video, boxes in
// pixels of the picture that was looked at. Must not know networks or workers.

import type { Detection } from '../../host/tasks/index.ts';
import { find } from './elements.ts';
import { percent } from './sight-text.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export class Stage {
  readonly video: HTMLVideoElement;
  readonly #figure: HTMLElement;
  readonly #photo: HTMLCanvasElement;
  readonly #overlay: HTMLCanvasElement;
  #isMirrored = false;
  #boxes: readonly Detection[] = [];
  #size: Size = { width: 4, height: 3 };

  constructor(root: ParentNode) {
    this.#figure = find(root, '[data-stage]', HTMLElement);
    this.video = find(root, '[data-video]', HTMLVideoElement);
    this.#photo = find(root, '[data-photo]', HTMLCanvasElement);
    this.#overlay = find(root, '[data-overlay]', HTMLCanvasElement);
    new ResizeObserver(() => { this.#draw(); }).observe(this.#figure);
  }

  showPhoto(bitmap: ImageBitmap): void {
    this.video.hidden = true;
    this.#photo.hidden = false;
    this.#photo.width = bitmap.width;
    this.#photo.height = bitmap.height;
    this.#photo.getContext('2d')?.drawImage(bitmap, 0, 0);
    this.#isMirrored = false;
    this.#frame(bitmap);
  }

  /** People expect the front camera to be a mirror. */
  showVideo(isMirrored: boolean): void {
    this.#photo.hidden = true;
    this.video.hidden = false;
    this.#isMirrored = isMirrored;
    this.video.classList.toggle('mirrored', isMirrored);
    this.#frame({ width: this.video.videoWidth || 4, height: this.video.videoHeight || 3 });
  }

  /** Nothing, with the hint of the empty stage. */
  clear(): void {
    this.video.hidden = true;
    this.#photo.hidden = true;
    this.showBoxes([], this.#size);
    this.#figure.toggleAttribute('data-empty', true);
  }

  /** `size` is that of the picture in whose pixels the boxes are. */
  showBoxes(boxes: readonly Detection[], size: Size): void {
    this.#boxes = boxes;
    this.#size = size;
    this.#draw();
  }

  #frame(size: Size): void {
    this.#figure.toggleAttribute('data-empty', false);
    this.#figure.style.setProperty('--aspect', `${size.width} / ${size.height}`);
    this.showBoxes([], size);
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#figure;
    const ratio = Math.min(2, devicePixelRatio);
    this.#overlay.width = Math.round(width * ratio);
    this.#overlay.height = Math.round(height * ratio);
    const context = this.#overlay.getContext('2d');
    if (!context || this.#boxes.length === 0) return;
    const scale = Math.min(width / this.#size.width, height / this.#size.height) * ratio;
    const left = (this.#overlay.width - scale * this.#size.width) / 2, top = (this.#overlay.height - scale * this.#size.height) / 2;
    const toX = (x: number): number => left + scale * (this.#isMirrored ? this.#size.width - x : x);
    for (const found of this.#boxes) drawFound(context, found, { toX, toY: (y) => top + scale * y, scale, ratio });
  }
}

interface Pen {
  readonly toX: (x: number) => number;
  readonly toY: (y: number) => number;
  /** Canvas pixels per picture pixel, and per CSS pixel. */
  readonly scale: number;
  readonly ratio: number;
}
const CROWN = '#ffc61a';
const INK = '#1a1d14';

function drawFound(context: CanvasRenderingContext2D, { box, keypoints, label, score }: Detection, { toX, toY, scale, ratio }: Pen): void {
  const width = box.width * scale, height = box.height * scale;
  const x = Math.min(toX(box.x), toX(box.x + box.width)), y = toY(box.y);
  const path = new Path2D();
  path.roundRect(x, y, width, height, Math.min(10 * ratio, width / 6, height / 6));
  for (const [style, line] of [['rgb(0 0 0 / 45%)', 5], [CROWN, 2.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = line * ratio;
    context.stroke(path);
  }
  const radius = Math.max(1.8 * ratio, Math.min(3.5 * ratio, width / 30));
  for (const point of keypoints ?? []) {
    context.beginPath();
    context.arc(toX(point.x), toY(point.y), radius, 0, 2 * Math.PI);
    context.fillStyle = '#fff';
    context.fill();
    context.strokeStyle = INK;
    context.lineWidth = ratio;
    context.stroke();
  }
  if (label !== null && label !== 'face') drawLabel(context, `${label} ${percent(score)}`, { x, y, ratio });
}

function drawLabel(context: CanvasRenderingContext2D, text: string, { x, y, ratio }: { x: number; y: number; ratio: number }): void {
  context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  const width = context.measureText(text).width + 12 * ratio, height = 22 * ratio;
  const left = Math.max(0, Math.min(x, context.canvas.width - width)), top = y >= height ? y - height : y;
  context.fillStyle = CROWN;
  context.beginPath();
  context.roundRect(left, top, width, height, 5 * ratio);
  context.fill();
  context.fillStyle = INK;
  context.textBaseline = 'middle';
  context.fillText(text, left + 6 * ratio, top + height / 2);
}
