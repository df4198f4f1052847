// What networks are for: the entry point 'kinglet/tasks'.

export { detectFaces } from './faces.ts';
export type { Face, FaceOptions, Point } from './faces.ts';
