// The zoo: names of networks and who builds them, in the order of their history. In: a name and options. Out: a Graph.
// Names follow the papers and torchvision: family, size, and after a second underscore the input's side where it is not the usual one.

import type { Graph } from '../host/graph/graph.ts';
import type { NetworkOptions } from './network.ts';
import { resnet, type ResnetDepth } from './resnet.ts';
import { squeezenet } from './squeezenet.ts';

export type { NetworkOptions, Padding } from './network.ts';
export type { WeightRole, WeightSource } from './weights.ts';

/** Builds a network with seeded weights, or with the options' own. */
export type NetworkBuilder = (options?: NetworkOptions) => Graph;

const resnets = ([18, 34, 50, 101, 152] as const).map((depth: ResnetDepth) =>
  [`resnet${depth}`, (options) => resnet(depth, options)] as const satisfies [string, NetworkBuilder]);

/** Name → builder. */
export const networks: ReadonlyMap<string, NetworkBuilder> = new Map<string, NetworkBuilder>([
  ...resnets,
  ['resnext50_32x4d', (options) => resnet(50, { ...options, groups: 32, groupWidth: 4 })],
  ['squeezenet1_1', squeezenet],
]);
