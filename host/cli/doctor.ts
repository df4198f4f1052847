// `kinglet doctor`: what this machine offers, and whether a deployed page or folder serves kinglet well.
// In: nothing, or an address. Out: a line per finding, or one JSON object per line. Must not know how anything is examined.

import { KingletError } from '../error.ts';
import { loadPlan } from '../index.ts';
import { networkPlan } from '../../models/zoo.ts';
import { ok, type Finding } from '../doctor/finding.ts';
import { examineMachine } from '../doctor/machine.ts';
import { examineSite } from '../doctor/site.ts';
import { print, printJson, printable, progress } from './text.ts';

export interface DoctorOptions { readonly json?: true }

/** Throws ERR_DOCTOR when there is an error among the findings. */
export async function doctorCommand(address: string | undefined, options: DoctorOptions): Promise<void> {
  const findings = address === undefined ? [...await examineMachine(), ...await peaks()] : await examineSite(parseAddress(address));
  for (const finding of findings) {
    if (options.json) printJson(finding);
    else show(finding);
  }
  const errors = findings.filter(({ level }) => level === 'error').length;
  if (errors > 0) throw new KingletError('ERR_DOCTOR', `${errors === 1 ? 'one error' : `${errors} errors`} found`);
}

function parseAddress(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new KingletError('ERR_USAGE', `${printable(text, 80)} is no http: or https: address`, { hint: 'For example https://example.org/app/.' });
}

function show({ level, topic, what, advice }: Finding): void {
  print(`${level.padEnd(7)}  ${topic}: ${printable(what, 300)}`);
  if (advice !== undefined) print(`         ${advice}`);
}

/** What the kernels could reach here, from two tiny networks of the zoo. */
async function peaks(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const int8 of [false, true]) {
    progress('measuring the peak');
    const model = await loadPlan(await networkPlan('lenet5', int8 ? { int8 } : {}));
    const { gflops, kind } = await model.peak();
    const { kernels, dot } = model.stats;
    model.dispose();
    progress('');
    findings.push(ok(`peak ${kind}`, `${gflops.toFixed(1)} G${kind === 'int8' ? 'op' : 'flop'}/s on one core, operands in registers (${kernels}${kind === 'int8' ? `, dot ${dot}` : ''})`));
  }
  return findings;
}
