// What doctor says: one fact, whether it is well, and what to do if it is not. In: nothing. Out: the type. Must not know any check.

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly topic: string;
  readonly what: string;
  /** What to do, where something can be done. */
  readonly advice?: string;
}

export function ok(topic: string, what: string): Finding {
  return { level: 'ok', topic, what };
}
export function warning(topic: string, what: string, advice: string): Finding {
  return { level: 'warning', topic, what, advice };
}
export function failure(topic: string, what: string, advice: string): Finding {
  return { level: 'error', topic, what, advice };
}
