// The page's first script: joins tabs, files from outside, and the offline copy. In: index.html. Out: a running page.

import { MAX_THREADS } from '../../assembly/abi.ts';
import { version } from '../../host/version.ts';
import { BenchmarkTab } from './benchmark-tab.ts';
import { find, say } from './elements.ts';
import { FacesTab } from './faces-tab.ts';
import { startIntake } from './intake.ts';
import { NetworkTab } from './network-tab.ts';
import { startOffline } from './offline.ts';
import { startTabs, type TabName } from './tabs.ts';

const panel = (name: TabName): HTMLElement => find(document, `#${name}`, HTMLElement);
const isolated = globalThis.crossOriginIsolated;
const cores = navigator.hardwareConcurrency;

const faces = new FacesTab(panel('faces'));
const network = new NetworkTab(panel('network'));
new BenchmarkTab(panel('benchmark'), { kinglet: version, userAgent: navigator.userAgent, cores, isolated }, isolated ? Math.min(cores, MAX_THREADS) : 1);

let shown: TabName = 'faces';
const show = startTabs(find(document, '[role=tablist]', HTMLElement), (name) => {
  shown = name;
  if (name !== 'faces') faces.viewer.stopCamera();
  if (name !== 'network') network.viewer.stopCamera();
  if (name === 'faces') faces.open();
  if (name === 'network') void network.open();
});

startIntake(({ photo, labels, model }) => {
  if (model || labels || shown === 'benchmark') show('network');
  const viewer = shown === 'faces' ? faces.viewer : network.viewer;
  const work = async (): Promise<void> => {
    if (photo) await viewer.showFile(photo);
    if (model) await network.openModel(model, labels);
    else if (labels) await network.openLabels(labels);
  };
  void work();
});

say(find(document, '[data-engine]', HTMLElement), `kinglet ${version} · ${cores} ${cores === 1 ? 'core' : 'cores'} · ${isolated ? 'isolated: threads may be used' : 'not isolated: one thread'}`);
void startOffline(find(document, '[data-offline]', HTMLElement), find(document, '[data-update]', HTMLButtonElement));
