// Finds the faces in a photo and draws them. Usage: node examples/faces.mjs [PHOTO]
// In: BlazeFace and a photo from two npm packages (or your photo). Out: boxes, scores, milliseconds, and ./faces.png.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { encode } from 'fast-png';
import { loadModel } from 'kinglet';
import { decodeImage } from 'kinglet/image';
import { detector, drawDetections } from 'kinglet/tasks';

const { resolve: find } = createRequire(import.meta.url);
const network = resolve(dirname(find('@mediapipe/face_detection/package.json')), 'face_detection_short_range.tflite');
const photo = process.argv[2] ?? resolve(dirname(find('@vladmandic/face-api/package.json')), 'demo', 'sample6.jpg');

const model = await loadModel(network, { onNotice: (text) => { console.error(text); } });
const picture = await decodeImage(await readFile(photo));
const started = performance.now();
const faces = await detector(model, { closeUps: true }).detect(picture);
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

await writeFile('faces.png', encode({ ...drawDetections(picture, faces), channels: 3, depth: 8 }));
console.log(`picture: ${resolve('faces.png')}`);
model.dispose();
