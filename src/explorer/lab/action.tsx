import { useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { run, shownCalls, type LabCall } from './lab.js';

interface ActionProps {
  /** Longer than what stands on the button, where that is short. */
  readonly name?: string;
  /** Asked for at the last moment: which node answers can change. */
  readonly calls: () => readonly LabCall[];
  /** Said when it is done. */
  readonly done: string;
  readonly isMain?: boolean;
  readonly children: ComponentChildren;
}

/** A button of the lab; while the reader is at it, the lines show what it sends. */
export function Action({ name, calls, done, isMain = false, children }: ActionProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const show = (): void => void (shownCalls.value = calls());
  const act = async (): Promise<void> => {
    setBusy(true);
    await run(done, ...calls());
    setBusy(false);
  };
  return (
    <button
      type="button"
      class={isMain ? 'primary' : ''}
      aria-label={name}
      title={name}
      disabled={isBusy}
      onPointerEnter={show}
      onFocus={show}
      onClick={() => void act()}
    >
      {children}
    </button>
  );
}
