// The zoo: names of networks and who builds them, in the order of the lecture. In: a name and options. Out: a Graph.
// Names follow torchvision where it has the network; the README beside this file says what each one is and costs.

import type { Graph } from '../host/graph/graph.ts';
import { alexnet } from './alexnet.ts';
import { densenet } from './densenet.ts';
import { efficientnet } from './efficientnet.ts';
import { googlenet } from './googlenet.ts';
import { lenet } from './lenet.ts';
import { mnasnet } from './mnasnet.ts';
import { mobilenetV1 } from './mobilenet-v1.ts';
import { mobilenetV2 } from './mobilenet-v2.ts';
import { mobilenetV3 } from './mobilenet-v3.ts';
import { nasnetMobile } from './nasnet.ts';
import type { NetworkOptions } from './network.ts';
import { resnet } from './resnet.ts';
import { shufflenetV1 } from './shufflenet-v1.ts';
import { shufflenetV2 } from './shufflenet-v2.ts';
import { squeezenet } from './squeezenet.ts';
import { vgg } from './vgg.ts';
import { zfnet } from './zfnet.ts';

export type { NetworkOptions, Padding } from './network.ts';
export type { WeightRole, WeightSource } from './weights.ts';

/** Builds a network with seeded weights, or with the options' own. */
export type NetworkBuilder = (options?: NetworkOptions) => Graph;

type Entry = [name: string, builder: NetworkBuilder];
const mobilenetV1s = [1, 0.75, 0.5, 0.25].flatMap((width) => [224, 192, 160, 128].map((size): Entry =>
  [`mobilenet_v1${widthSuffix(width, size)}`, (options) => mobilenetV1({ ...options, size: options?.size ?? size, width })]));
const mobilenetV2s = [1, 1.4, 0.75, 0.5, 0.35].map((width): Entry =>
  [`mobilenet_v2${widthSuffix(width, 224)}`, (options) => mobilenetV2({ ...options, width })]);
const shufflenetV1s = ([1, 2, 3, 4, 8] as const).map((groups): Entry =>
  [`shufflenet_v1_g${groups}`, (options) => shufflenetV1(groups, options)]);
const shufflenetV2s = ([0.5, 1, 1.5, 2] as const).map((width): Entry =>
  [`shufflenet_v2_x${decimal(width).replace('.', '_')}`, (options) => shufflenetV2(width, options)]);

/** Nothing for the usual form; `_0.5` and `_0.5_160` for others. */
function widthSuffix(width: number, size: number): string {
  if (size !== 224) return `_${decimal(width)}_${size}`;
  return width === 1 ? '' : `_${decimal(width)}`;
}
function decimal(width: number): string {
  return Number.isInteger(width) ? width.toFixed(1) : String(width);
}

/** Name → builder. */
export const networks: ReadonlyMap<string, NetworkBuilder> = new Map<string, NetworkBuilder>([
  ['lenet5', lenet],
  ['alexnet', alexnet],
  ['zfnet', zfnet],
  ['zfnet512', (options) => zfnet({ ...options, filters: [512, 1024, 512] })],
  ['vgg11', (options) => vgg(11, options)],
  ['vgg13', (options) => vgg(13, options)],
  ['vgg16', (options) => vgg(16, options)],
  ['vgg19', (options) => vgg(19, options)],
  ['googlenet', googlenet],
  ['googlenet_auxiliary', (options) => googlenet({ ...options, auxiliary: true })],
  ['resnet18', (options) => resnet(18, options)],
  ['resnet34', (options) => resnet(34, options)],
  ['resnet50', (options) => resnet(50, options)],
  ['resnet50_paper', (options) => resnet(50, { ...options, strideIn: '1x1' })],
  ['resnet101', (options) => resnet(101, options)],
  ['resnet152', (options) => resnet(152, options)],
  ['resnext50_32x4d', (options) => resnet(50, { ...options, groups: 32, groupWidth: 4 })],
  ['densenet121', (options) => densenet(121, options)],
  ['densenet169', (options) => densenet(169, options)],
  ['squeezenet1_1', squeezenet],
  ...mobilenetV1s,
  ...mobilenetV2s,
  ['mobilenet_v3_large', (options) => mobilenetV3('large', options)],
  ['mobilenet_v3_small', (options) => mobilenetV3('small', options)],
  ...shufflenetV1s,
  ...shufflenetV2s,
  ['nasnet_a_mobile', nasnetMobile],
  ['mnasnet1_0', mnasnet],
  ['efficientnet_b0', (options) => efficientnet('b0', options)],
  ['efficientnet_lite0', (options) => efficientnet('lite0', options)],
]);
