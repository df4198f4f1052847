// A page with kinglet, for tests that call it from outside.
// In: jobs from the test. Out: globalThis.kingletPage.

import * as kinglet from '../../../host/index.ts';
import { doGoldenJob, type GoldenAnswer, type GoldenJob } from './golden-job.ts';

export interface KingletPage {
  readonly kinglet: typeof kinglet;
  golden(job: GoldenJob): Promise<GoldenAnswer>;
}
declare global { var kingletPage: KingletPage }
globalThis.kingletPage = { kinglet, golden: (job) => doGoldenJob(kinglet.loadModel, job) };
