// The smallest picture that a network of the zoo takes. In: a name. Out: the side of a square, in pixels. Must not know how networks run.

import { KingletError } from '../../host/error.ts';
import { elementCount } from '../../host/tensor.ts';
import { networkGraph, type WeightSource } from '../../models/zoo.ts';

/** Shapes alone are asked for. */
const zeros: WeightSource = (_, shape) => new Float32Array(elementCount(shape));
const LARGEST = 224;

/** The first side from 1 pixel on at which every layer fits its input. */
export async function smallestSize(name: string): Promise<number> {
  for (let size = 1; size <= LARGEST; size++) {
    try {
      await networkGraph(name, { size, classes: 2, weights: zeros });
      return size;
    } catch (error) {
      if (!(error instanceof KingletError && error.code === 'ERR_MODEL_INVALID')) throw error;
    }
  }
  throw new Error(`${name} takes no picture of up to ${LARGEST} pixels`);
}
