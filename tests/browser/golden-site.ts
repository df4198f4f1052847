// A site with every golden of ../shared on it, and how an answer that comes back from a browser is judged.
// In: page scripts. Out: a Site, jobs, checks. int8 .tflite models are served with the scales that their goldens were made with.

import { compile } from '../../host/index.ts';
import { checkAnswer, tensors } from '../models/golden-answers.ts';
import { roundScales } from '../round-scales.ts';
import { goldens, sharedBytes, sharedFolder, type Golden } from '../shared.ts';
import { servePages } from './bundle-page.ts';
import type { GoldenAnswer, GoldenJob } from './page/golden-job.ts';
import type { Site } from './site.ts';

/** /models/NAME is the file, /plans/NAME its compiled plan, /shared/ the reference material. */
export async function serveGoldens(...scripts: readonly string[]): Promise<Site> {
  const site = await servePages(scripts, { '/shared/': sharedFolder });
  for (const golden of goldens()) {
    const bytes = sharedBytes(golden.modelFile);
    const model = golden.quantized && golden.modelFile.endsWith('.tflite') ? roundScales(bytes, 6).bytes : bytes;
    site.files.set(`/models/${golden.name}`, model);
    site.files.set(`/plans/${golden.name}`, (_, response) => { response.end(compile(model)); });
  }
  return site;
}

export function jobOf(golden: Golden, options: GoldenJob['options'], kind: 'models' | 'plans' = 'models'): GoldenJob {
  const inputs = (name: string): string[] => tensors(golden, name, 'input').map((_, i) => `/shared/goldens/${golden.name}/${name}.input_${i}.npy`);
  return { model: `/${kind}/${golden.name}`, cases: golden.cases.map(inputs), options };
}

export function judge(golden: Golden, { outputs, steps }: GoldenAnswer): void {
  golden.cases.forEach((name, i) => { checkAnswer(golden, name, golden.quantized ? 'exact' : 'output', outputs[i] ?? [], steps); });
}
