// What networks are for: the entry point 'kinglet/tasks'.

export { classifier } from './classifier.ts';
export type { Classification, Classifier, ClassifierOptions, ClassifyOptions } from './classifier.ts';
export type { Point } from './candidates.ts';
export { cocoLabels } from './coco-labels.ts';
export { detector } from './detector.ts';
export type { Detection, Detector, DetectorOptions, DetectOptions } from './detector.ts';
export { drawDetections } from './draw-detections.ts';
export type { DetectorKind } from './family.ts';
