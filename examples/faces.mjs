// Finds the faces in a photo and draws them. Usage: node examples/faces.mjs [PHOTO]
// In: BlazeFace and a photo from two npm packages (or your photo). Out: boxes, scores, milliseconds, and ./faces.png.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { encode } from 'fast-png';
import { loadModel } from 'kinglet';
import { decodeImage } from 'kinglet/image';
import { detectFaces } from 'kinglet/tasks';

const { resolve: find } = createRequire(import.meta.url);
const network = resolve(dirname(find('@mediapipe/face_detection/package.json')), 'face_detection_short_range.tflite');
const photo = process.argv[2] ?? resolve(dirname(find('@vladmandic/face-api/package.json')), 'demo', 'sample6.jpg');

const model = await loadModel(network, { onNotice: (text) => { console.error(text); } });
const picture = await decodeImage(await readFile(photo));
const started = performance.now();
const faces = detectFaces(model, picture);
const milliseconds = performance.now() - started;
console.log(`${faces.length} faces in ${photo} (${picture.width}x${picture.height}), ${milliseconds.toFixed(0)} ms with resizing and a close-up of each`);
for (const { score, box } of faces) {
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((v) => v.toFixed(0).padStart(5));
  const centre = [(box.x + box.width / 2) / picture.width, (box.y + box.height / 2) / picture.height].map((v) => v.toFixed(2));
  console.log(`  score ${score.toFixed(3)}  x ${x}  y ${y}  width ${width}  height ${height}  centre (${centre.join(', ')})`);
}

const times = Array.from({ length: 50 }, () => {
  const from = performance.now();
  model.runSync();
  return performance.now() - from;
}).sort((a, b) => a - b);
console.log(`inference: median ${times[25].toFixed(2)} ms of 50 runs, ${(model.stats.macs / 1e6).toFixed(1)} M multiply-accumulates, ${model.stats.kernels}, 1 thread`);

await writeFile('faces.png', encode({ ...annotated(picture, faces), channels: 3, depth: 8 }));
console.log(`picture: ${resolve('faces.png')}`);
model.dispose();

/** A copy of the picture with boxes in yellow and keypoints in cyan. */
function annotated({ width, height, data }, found) {
  const out = { width, height, data: data.slice() };
  const line = Math.max(2, Math.round(width / 400));
  for (const { box, keypoints } of found) {
    for (const [x, y, w, h] of [[0, 0, box.width, line], [0, box.height, box.width + line, line], [0, 0, line, box.height], [box.width, 0, line, box.height]]) {
      fill(out, box.x + x, box.y + y, w, h, [255, 230, 0]);
    }
    for (const { x, y } of keypoints) fill(out, x - line, y - line, 2 * line, 2 * line, [0, 230, 255]);
  }
  return out;
}

/** A filled rectangle, clipped to the picture. */
function fill({ width, height, data }, left, top, w, h, colour) {
  const clip = (v, end) => Math.min(end, Math.max(0, Math.round(v)));
  for (let y = clip(top, height); y < clip(top + h, height); y++) {
    for (let x = clip(left, width); x < clip(left + w, width); x++) data.set(colour, (y * width + x) * 3);
  }
}
