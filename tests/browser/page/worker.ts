// A worker or service worker with kinglet. In: messages with a job and a port. Out: on that port the answer, or what was thrown.

import { loadModel } from '../../../host/index.ts';
import { doGoldenJob, type GoldenJob } from './golden-job.ts';

addEventListener('message', ({ data, ports }: MessageEvent<GoldenJob>) => {
  doGoldenJob(loadModel, data).then(
    (answer) => { ports[0]?.postMessage({ answer }); },
    (error: unknown) => { ports[0]?.postMessage({ failure: String(error) }); },
  );
});
