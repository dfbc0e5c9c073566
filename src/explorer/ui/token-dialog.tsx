import { useLayoutEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { nodes } from '../model/network.js';
import { tokenQuestion, type TokenQuestion } from '../model/write-token.js';

/** Asks for the write token of a node that has refused a write without it. */
export function TokenDialog(): JSX.Element | null {
  const question = tokenQuestion.value;
  return question === undefined ? null : <Question {...question} />;
}

function Question({ origin, isWrong, answer }: TokenQuestion): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = nodes.value.find(({ url }) => url === origin)?.nodeId || origin;
  useLayoutEffect(() => dialog.current!.showModal(), []);
  const end = (token: string | undefined): void => {
    // Before it leaves the page, so that the focus goes back to where it was.
    dialog.current!.close();
    answer(token);
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    end((event.currentTarget as HTMLFormElement).querySelector('input')!.value);
  };
  const cancel = (event: Event): void => {
    event.preventDefault();
    end(undefined);
  };
  return (
    <dialog ref={dialog} class="token" aria-labelledby="token-title" onCancel={cancel}>
      <form onSubmit={onSubmit}>
        <h2 id="token-title">{name} accepts writes only with its write token</h2>
        <label for="token">
          The value of <code>http.write_token</code> in the configuration of {name}
        </label>
        <input
          id="token"
          type="password"
          required
          pattern="[!-~]+"
          title="Visible ASCII characters, no spaces"
          maxLength={512}
          autoComplete="off"
          autoFocus
        />
        {isWrong && (
          <p class="error" role="alert">
            {name} refused this token. Type its own one.
          </p>
        )}
        <p class="faint">This tab keeps it in memory until you close or reload it.</p>
        <div class="row">
          <button type="submit" class="primary">
            Send
          </button>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
