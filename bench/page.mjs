// The browser's side of a duel. In: the job in the document. Out: the result, posted to the server.

import { duel } from './duel.mjs';
import { report } from './report-to-server.mjs';
import { soakWebgpu } from './soak-webgpu.mjs';
import { speedup } from './speedup.mjs';

report((job, urls) => (job.speedup ? speedup : job.soak ? soakWebgpu : duel)(job, urls));
