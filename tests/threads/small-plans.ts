// Plans for tests of threads and memory: a tiny network, and one large enough for threads to share every step.

import { networkPlan } from '../../models/zoo.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';

export const tinyPlan = planOf(tinyGraph());
export const tinyInput = noise(7, [1, 6, 5, 3]).data as Float32Array;

/** About 40 MMAC. */
export const middlePlan = await networkPlan('mobilenet_v2', { size: [96, 96] });
export const middleInput = noise(8, [1, 96, 96, 3]).data as Float32Array;
