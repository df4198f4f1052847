// Files that are dropped on the page or pasted. In: drops and pastes. Out: each file, told apart as photo, labels or model.
// Must not open any of them.

export type Kind = 'photo' | 'labels' | 'model';

/** By what the system calls it; whatever is neither photo nor text may be a model, and the reader of models says why if not. */
export function kindOf(file: File): Kind {
  if (file.type.startsWith('image/')) return 'photo';
  return file.type === 'text/plain' || file.name.toLowerCase().endsWith('.txt') ? 'labels' : 'model';
}

export interface Intake {
  readonly photo: File | null;
  readonly labels: File | null;
  readonly model: File | null;
}

/** At most one of each kind is taken. Photos can be pasted too. */
export function startIntake(onFiles: (intake: Intake) => void): void {
  const take = (files: readonly File[]): void => {
    const first = (kind: Kind): File | null => files.find((file) => kindOf(file) === kind) ?? null;
    if (files.length > 0) onFiles({ photo: first('photo'), labels: first('labels'), model: first('model') });
  };
  const mark = (isOver: boolean): void => { document.documentElement.toggleAttribute('data-dragging', isOver); };
  addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener('dragleave', (event) => { if (event.relatedTarget === null) mark(false); });
  addEventListener('drop', (event) => {
    mark(false);
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  addEventListener('paste', (event) => { take([...event.clipboardData?.files ?? []]); });
}
