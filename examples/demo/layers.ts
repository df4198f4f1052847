// The layer table of `kinglet inspect`. In: where a network came from. Out: columns of text. Must not run the network.

import { importGraph } from '../../host/compile.ts';
import type { Model } from '../../host/index.ts';
import { overviewOf } from '../../host/inspect/layers.ts';
import { columnsOf } from '../../host/inspect/table.ts';
import { sniff } from '../../host/import/index.ts';
import { openUrl, readAll } from '../../host/open-url.ts';
import { networkGraph } from '../../models/zoo.ts';
import type { NetworkSource, TableColumn } from './calls.ts';

/** A plan (.kgl) no longer knows the network's layers: its steps are shown instead. */
export async function layersOf(source: NetworkSource, model: Model): Promise<TableColumn[]> {
  const graph = await graphOf(source);
  if (!graph) return stepsOf(model);
  return columnsOf(overviewOf(graph).layers).map(({ title, numeric, cells }) => ({ title, numeric, cells }));
}

async function graphOf(source: NetworkSource): Promise<Parameters<typeof overviewOf>[0] | null> {
  if (source.kind === 'zoo') return networkGraph(source.name, { int8: source.int8 });
  const bytes = source.kind === 'bytes' ? new Uint8Array(source.bytes) : await readAll(await openUrl(new URL(source.file, import.meta.url)));
  return sniff(bytes) === 'kgl' ? null : importGraph(bytes).graph;
}


function stepsOf(model: Model): TableColumn[] {
  const steps = model.steps();
  return [
    { title: 'step', numeric: true, cells: steps.map(({ index }) => String(index)) },
    { title: 'op', numeric: false, cells: steps.map(({ op }) => op) },
    { title: 'kernel', numeric: false, cells: steps.map(({ kernel }) => kernel) },
    { title: 'output', numeric: false, cells: steps.map(({ shape }) => shape.join('x')) },
    { title: 'MACs M', numeric: true, cells: steps.map(({ macs }) => (macs / 1e6).toFixed(2)) },
  ];
}
