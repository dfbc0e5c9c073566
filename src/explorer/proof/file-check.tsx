import { useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';

interface DropZoneProps {
  readonly onFile: (file: File) => void;
  readonly children: ComponentChildren;
}

/** Takes a file that is dropped anywhere on it. */
export function DropZone({ onFile, children }: DropZoneProps): JSX.Element {
  const [isOver, setOver] = useState(false);
  const onDragOver = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    setOver(true);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  };
  return (
    <div
      class={isOver ? 'drop-zone over' : 'drop-zone'}
      onDragOver={onDragOver}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      {children}
    </div>
  );
}

/** Chooses a file with a proof from anywhere. */
export function FilePicker({ onFile }: { readonly onFile: (file: File) => void }): JSX.Element {
  const take = (input: HTMLInputElement): void => {
    const file = input.files?.[0];
    if (file !== undefined) onFile(file);
    // The same file can be chosen again after it was changed.
    input.value = '';
  };
  return (
    <p class="file-picker">
      <label for="proof-file">Check a proof from anywhere: drop the file here, or choose it.</label>{' '}
      <input id="proof-file" type="file" onChange={(event) => take(event.currentTarget)} />
    </p>
  );
}
